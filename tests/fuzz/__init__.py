"""Fuzzing: whole files of each kind are damaged at random, and read in a process that is watched."""

"""The main module of the program that PyInstaller makes."""

from facemood.cli.desktop import main

main()

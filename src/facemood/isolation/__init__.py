"""Decoding of untrusted images and videos in a separate process, with limits. It imports no neural network."""

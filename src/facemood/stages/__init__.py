"""The stages of the pipeline: find faces, frame them, read their expressions. Each is a plain step on values."""

"""All memory from frame to frame: who is where, what was read of them before, what their neutral faces look like."""

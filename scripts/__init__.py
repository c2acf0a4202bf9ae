"""Scripts that make what the package ships, and the figures of its documents."""

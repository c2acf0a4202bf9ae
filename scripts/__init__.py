"""Scripts that make the files that the package ships, and the figures of its documents."""

"""``python -m facemood`` is the command ``facemood``."""

from facemood.cli import main

main()

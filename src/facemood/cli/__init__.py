"""The command line, one file per command. Heavy imports are inside the commands, so ``--help`` is quick."""

import atexit
import gc

COLLECT_AFTER = 20_000
"""New objects before Python looks for garbage. By default it does so many times while modules load, and finds none."""


def main() -> None:
    """Run the command line.

    At the end, Python looks through all objects for garbage, several times. They are frozen before, so that it passes
    over them: the system frees the memory of a process that ends anyway.
    """
    gc.set_threshold(COLLECT_AFTER, *gc.get_threshold()[1:])
    atexit.register(gc.freeze)
    from facemood.cli.entry import run

    run()

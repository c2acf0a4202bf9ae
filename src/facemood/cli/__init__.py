"""The command line, one file per command. Heavy imports are inside the commands, so ``--help`` is quick."""

import gc

COLLECT_AFTER = 20_000
"""New objects before Python looks for garbage. By default it does so many times while modules load, and finds none."""


def main() -> None:
    """Run the command line."""
    gc.set_threshold(COLLECT_AFTER, *gc.get_threshold()[1:])
    from facemood.cli.entry import run

    run()

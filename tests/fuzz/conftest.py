"""Options of the fuzzing: how much, how long, and which damage."""

import pytest


def pytest_addoption(parser: pytest.Parser) -> None:
    """Add the options; they are known where tests/fuzz is named on the command line."""
    parser.addoption(
        "--fuzz-minutes", type=float, default=0, help="fuzz so many minutes in all, instead of a few cases"
    )
    parser.addoption("--fuzz-times", type=int, default=1, help="so many times the usual number of damaged files")
    parser.addoption("--fuzz-seed", type=int, default=0, help="another number gives other damage")

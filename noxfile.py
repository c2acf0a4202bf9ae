"""Tests on several Pythons and versions of the dependencies: pip install nox, then nox -l lists the sessions.

An interpreter that is not installed is skipped. Every session needs a package index, to fill its environment.
"""

from __future__ import annotations

import nox

PYTHONS = ["3.10", "3.11", "3.12", "3.13", "3.14"]
TORCH = "torch==2.13.0"
"""As in the Makefile: a CPU build serves."""

nox.options.sessions = ["fast", "lint", "types"]
nox.options.reuse_existing_virtualenvs = True


def test_core(session: nox.Session) -> None:
    """Run the tests that need the core alone."""
    session.run("python", "-m", "pytest", "-q", "-n", "2", "-p", "tests.light", *session.posargs)


@nox.session(python=PYTHONS)
def fast(session: nox.Session) -> None:
    """The core and its newest dependencies, without torch."""
    session.install("--upgrade", "--upgrade-strategy", "eager", "-e", ".[test]")
    test_core(session)


@nox.session(python=PYTHONS[0])
def oldest(session: nox.Session) -> None:
    """The core and the oldest dependencies that pyproject.toml allows."""
    session.install("-r", "requirements/oldest.txt")
    session.install("-e", ".[test]", "-c", "requirements/oldest.txt")
    test_core(session)


@nox.session(python=PYTHONS)
def tests(session: nox.Session) -> None:
    """All tests with all extras, as make test runs them."""
    session.install(TORCH)
    session.install(TORCH, "-e", ".[dev]")
    session.run("python", "-m", "pytest", "-q", *session.posargs)


@nox.session
def lint(session: nox.Session) -> None:
    """Format and lint."""
    session.install("ruff")
    session.run("ruff", "format", "--check")
    session.run("ruff", "check")


@nox.session
def types(session: nox.Session) -> None:
    """The types of everything, with all extras."""
    session.install(TORCH)
    session.install(TORCH, "-e", ".[dev]")
    session.run("mypy")


@nox.session(python=PYTHONS)
def wheel(session: nox.Session) -> None:
    """The built wheel in an empty environment, where no network can be reached."""
    session.install("build", "hatchling", "hatch-vcs", "-e", ".[test]")
    session.run("python", "-m", "pytest", "-q", "tests/test_wheel.py", *session.posargs)

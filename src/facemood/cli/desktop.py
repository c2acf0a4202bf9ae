"""``facemood-desktop``: the page without a terminal, served on this machine alone and opened in the browser.

It is installed as a command, and `packaging/build_desktop.py` makes a program of it that needs no Python.
"""

from __future__ import annotations

import os
import socket
import sys
import traceback

PORT = 8737
"""The port where it is free: with the same address the browser remembers language and size of the text."""


def main() -> None:
    """Serve the page and open it, until the window is closed or Ctrl-C is pressed."""
    from facemood.child_process import CHILD
    from facemood.child_process import main as be_child

    if sys.argv[1:2] == [CHILD]:
        del sys.argv[1]
        be_child()
        return
    frozen = bool(getattr(sys, "frozen", False))
    if frozen:
        restore_library_path()
    sys.argv[1:] = ["serve", "--open", "--port", str(choose_port()), *sys.argv[1:]]
    try:
        from facemood.cli import main as run
        from facemood.cli.terminal import say

        say("facemood: starting. To end facemood, close this window or press Ctrl-C.")
        run()
    except SystemExit as ending:
        if ending.code:
            wait_to_be_read(frozen)
        raise
    except Exception:  # such as a library of the system that is missing
        traceback.print_exc()
        wait_to_be_read(frozen)
        sys.exit(1)


def wait_to_be_read(frozen: bool) -> None:
    """Keep the window of a program open until Enter is pressed, so that the message can be read."""
    if frozen and sys.stdin is not None and sys.stdin.isatty():
        input("Press Enter to close this window. ")


def choose_port() -> int:
    """Return `PORT`, or 0 for any port if another program uses it."""
    try:
        with socket.create_server(("127.0.0.1", PORT)):
            return PORT
    except OSError:
        return 0


def restore_library_path() -> None:
    """Give programs that are started, such as the browser, the libraries of the system instead of the program's own."""
    original = os.environ.pop("LD_LIBRARY_PATH_ORIG", None)
    if original is not None:
        os.environ["LD_LIBRARY_PATH"] = original
    else:
        os.environ.pop("LD_LIBRARY_PATH", None)

"""Run a command and print the peak of its resident memory in bytes: ``python peak.py COMMAND ...`` (Linux, macOS)."""

from __future__ import annotations

import resource
import subprocess
import sys


def main() -> int:
    """Run the command that the arguments are, print its peak, and pass its exit code on."""
    code = subprocess.run(sys.argv[1:], stdout=subprocess.DEVNULL, check=False).returncode
    peak = resource.getrusage(resource.RUSAGE_CHILDREN).ru_maxrss
    print(peak if sys.platform == "darwin" else 1024 * peak)  # macOS counts bytes, Linux KiB
    return code


if __name__ == "__main__":
    sys.exit(main())

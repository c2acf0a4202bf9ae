"""What Dask does first in each worker that it starts on this machine: Ctrl-C is left to the driver.

Ctrl-C reaches all processes of a terminal. The driver ends the workers.
"""

from __future__ import annotations

import signal
from typing import Any


async def dask_setup(worker: Any) -> None:
    """Ignore SIGINT. Dask calls this function by its name."""
    signal.signal(signal.SIGINT, signal.SIG_IGN)

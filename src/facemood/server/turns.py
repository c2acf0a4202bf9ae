"""Fair scheduling: a limited number of turns at the same time, given to clients in rounds."""

from __future__ import annotations

import asyncio
import contextlib
import time
from collections import OrderedDict, deque
from collections.abc import AsyncIterator


class Turns:
    """A limited number of turns at the same time. Waiting clients are served in rounds, one turn per client.

    All methods are called in the event loop.

    Args:
        count: Number of turns at the same time.

    Example:
        >>> async def work() -> int:
        ...     turns = Turns(1)
        ...     async with turns.take("192.0.2.1"):
        ...         return turns.waiting
        >>> asyncio.run(work())
        0
    """

    def __init__(self, count: int) -> None:
        self._free = count
        self._clients: OrderedDict[str, deque[tuple[float, asyncio.Future[None]]]] = OrderedDict()

    @property
    def waiting(self) -> int:
        """Number of requests that wait for a turn."""
        return sum(map(len, self._clients.values()))

    @property
    def oldest(self) -> float:
        """Seconds for which the oldest request has waited; 0 if none waits."""
        begun = [when for queue in self._clients.values() for when, _ in queue]
        return time.monotonic() - min(begun) if begun else 0.0

    @contextlib.asynccontextmanager
    async def take(self, client: str) -> AsyncIterator[None]:
        """Wait for a turn, and hold it during the block."""
        await self._wait(client)
        try:
            yield
        finally:
            self._pass_on()

    async def _wait(self, client: str) -> None:
        """Wait for a turn."""
        if self._free:
            self._free -= 1
            return
        turn: asyncio.Future[None] = asyncio.get_running_loop().create_future()
        self._clients.setdefault(client, deque()).append((time.monotonic(), turn))
        try:
            await turn
        except asyncio.CancelledError:
            if turn.done() and not turn.cancelled():  # it came in the same moment
                self._pass_on()
            raise

    def _pass_on(self) -> None:
        """Give the turn to the next client in the round."""
        while self._clients:
            client, queue = self._clients.popitem(last=False)
            turn = queue.popleft()[1]
            if queue:
                self._clients[client] = queue  # behind the others
            if not turn.done():
                turn.set_result(None)
                return
        self._free += 1

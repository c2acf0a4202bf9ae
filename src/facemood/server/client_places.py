"""A limited number of places that clients share, such as connections."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable
from types import TracebackType

from facemood.server.problems import Problem

KEPT_FREE = 4
"""One place in so many is reserved for clients that hold none, so that one client cannot take them all."""


class Places:
    """A limited number of places. A client is an address.

    One place in four is reserved for clients that hold none. If no place is left, the client with the most places loses
    the one that has been silent for the longest time, if that is long enough. So idle clients do not lock others out.

    Args:
        count: Number of places.
        full: The message for clients that get no place.
        silence: Seconds of silence after which a place may go to another client; None for never.
        retry: Seconds after which such clients should ask again.
        clock: Returns the time in seconds.

    Example:
        >>> places = Places(1, full="no room")
        >>> with places.enter("192.0.2.1"):
        ...     places.taken
        1
        >>> places.taken
        0
    """

    count: int
    full: str
    silence: float | None
    retry: int
    clock: Callable[[], float]

    def __init__(
        self,
        count: int,
        *,
        full: str,
        silence: float | None = None,
        retry: int = 1,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self.count, self.full, self.silence, self.retry, self.clock = count, full, silence, retry, clock
        self._held: set[ClientPlace] = set()
        self._clients: Counter[str] = Counter()

    @property
    def taken(self) -> int:
        """Number of places that are taken."""
        return len(self._held)

    def enter(self, client: str, leave: Callable[[], None] | None = None) -> ClientPlace:
        """Take a place.

        Args:
            client: The client's address.
            leave: Called when the place goes to another client. It should end this client's connection.

        Raises:
            Problem: No place is free (503).
        """
        free = self.count - len(self._held)
        if free <= (self.count // KEPT_FREE if self._clients[client] else 0):
            self._make_room()
        place = ClientPlace(self, client, leave)
        self._held.add(place)
        self._clients[client] += 1
        return place

    def _make_room(self) -> None:
        """Free a place of the clients that hold most: the one that has been silent for the longest time."""
        now, most = self.clock(), max(self._clients.values(), default=0)
        large = {client for client, count in self._clients.items() if count == most}
        silent = [place for place in self._held if place.leave and not place.busy and place.client in large]
        idlest = min(silent, key=lambda place: place.since, default=None)
        if self.silence is None or idlest is None or now - idlest.since < self.silence:
            raise Problem(503, self.full, {"Retry-After": str(self.retry)})
        idlest.close()
        if idlest.leave:
            idlest.leave()

    def free(self, place: ClientPlace) -> None:
        """Free a place. A second call does nothing."""
        if place in self._held:
            self._held.remove(place)
            self._clients[place.client] -= 1
            if not self._clients[place.client]:
                del self._clients[place.client]


class ClientPlace:
    """One place that a client holds. It is left by `close`, or at the end of a ``with`` block.

    Args:
        places: All places.
        client: The address of its holder.
        leave: Called when it goes to another client.

    Attributes:
        since: Time of the last sign of activity, in seconds of the clock.
        busy: Whether the client waits for the server. Its silence does not count then.
    """

    places: Places
    client: str
    leave: Callable[[], None] | None
    since: float
    busy: bool

    def __init__(self, places: Places, client: str, leave: Callable[[], None] | None) -> None:
        self.places, self.client, self.leave = places, client, leave
        self.since, self.busy = places.clock(), False

    def touch(self) -> None:
        """Note that the client is active."""
        self.since = self.places.clock()

    def close(self) -> None:
        """Leave the place."""
        self.places.free(self)

    def __enter__(self) -> ClientPlace:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> None:
        self.close()

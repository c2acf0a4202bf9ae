import pytest

from facemood.server.client_places import Places
from facemood.server.problems import Problem


class Clock:
    """A time that tests set."""

    now = 0.0

    def __call__(self) -> float:
        return self.now


def test_there_are_only_so_many_places() -> None:
    places = Places(3, full="no room")
    held = [places.enter(f"192.0.2.{number}") for number in range(3)]
    with pytest.raises(Problem, match="no room") as refused:
        places.enter("192.0.2.9")
    assert refused.value.status == 503
    held[1].close()
    held[1].close()  # once more changes nothing
    assert places.taken == 2
    places.enter("192.0.2.9")


def test_one_client_cannot_take_them_all() -> None:
    places = Places(8, full="no room")
    for _ in range(6):
        places.enter("192.0.2.1")
    with pytest.raises(Problem):
        places.enter("192.0.2.1")
    for other in ("192.0.2.2", "192.0.2.3"):
        places.enter(other)
    with pytest.raises(Problem):
        places.enter("192.0.2.4")


def test_who_is_silent_longest_makes_room() -> None:
    clock, left = Clock(), list[int]()
    places = Places(2, full="no room", silence=5, clock=clock)
    first, second = (places.enter(f"192.0.2.{number}", lambda number=number: left.append(number)) for number in (1, 2))  # type: ignore[misc]
    clock.now = 4.9
    with pytest.raises(Problem):
        places.enter("192.0.2.3")
    clock.now = 6
    first.touch()
    places.enter("192.0.2.3", lambda: left.append(3))
    assert left == [2]
    second.close()  # its own end comes later, and must not free another's place
    assert places.taken == 2


def test_the_client_with_the_most_places_makes_room() -> None:
    clock, left = Clock(), list[str]()
    places = Places(4, full="no room", silence=0, clock=clock)
    places.enter("192.0.2.1", lambda: left.append("quiet"))
    clock.now = 5
    for _ in range(8):
        places.enter("192.0.2.2", lambda: left.append("greedy"))
    assert left == ["greedy"] * 6
    assert places.taken == 3


def test_who_waits_for_the_server_is_not_silent() -> None:
    clock, left = Clock(), list[int]()
    places = Places(1, full="no room", silence=1, clock=clock)
    place = places.enter("192.0.2.1", lambda: left.append(1))
    place.busy = True
    clock.now = 100
    with pytest.raises(Problem):
        places.enter("192.0.2.2")
    place.busy = False
    places.enter("192.0.2.2")
    assert left == [1]


def test_clients_that_left_are_forgotten() -> None:
    places = Places(2, full="no room")
    for number in range(100):
        with places.enter(f"192.0.2.{number}"):
            pass
    assert not places._clients

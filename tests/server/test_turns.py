from __future__ import annotations

import asyncio

import pytest

from facemood.server.turns import Turns


def order_of(clients: str, *, count: int = 1) -> str:
    """The order in which clients that ask at the same time have their turns, by letter."""
    done: list[str] = []

    async def work(turns: Turns, client: str) -> None:
        async with turns.take(client):
            done.append(client)
            await asyncio.sleep(0)

    async def run() -> None:
        turns = Turns(count)
        await asyncio.gather(*(work(turns, client) for client in clients))
        assert turns.waiting == 0
        assert turns.oldest == 0

    asyncio.run(run())
    return "".join(done)


def test_clients_have_their_turns_in_rounds_however_much_each_asks_for() -> None:
    assert order_of("aaaaabc") == "aabcaaa"  # the first is served at once, and then begins the first round
    assert order_of("aaabbb") == "aababb"


@pytest.mark.parametrize("count", [1, 3])
def test_no_more_than_so_many_work_at_the_same_time(count: int) -> None:
    at_work = most = 0

    async def work(turns: Turns) -> None:
        nonlocal at_work, most
        async with turns.take("a"):
            at_work += 1
            most = max(most, at_work)
            await asyncio.sleep(0.001)
            at_work -= 1

    async def run() -> None:
        turns = Turns(count)
        await asyncio.gather(*(work(turns) for _ in range(10)))

    asyncio.run(run())
    assert most == count


def test_who_goes_away_gives_the_turn_on() -> None:
    async def run() -> None:
        turns = Turns(1)
        gone: list[asyncio.Task[None]] = []

        async def wait() -> None:
            async with turns.take("b"):
                pass

        async with turns.take("a"):
            gone += [asyncio.create_task(wait()) for _ in range(3)]
            await asyncio.sleep(0)
            assert turns.waiting == 3
            gone[0].cancel()
        gone[1].cancel()  # its turn may have come in the same moment
        await asyncio.gather(*gone, return_exceptions=True)
        await asyncio.wait_for(turns.take("c").__aenter__(), 5)

    asyncio.run(run())

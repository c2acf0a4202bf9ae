"""What the pool of parts does about deaths and lost machines, with an engine that needs no process."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from facemood.archive.part import WRITTEN, ArchivePart, PartOutcome, PlannedItem
from facemood.archive.part_engine import MOST_LOST, EngineEvent, PartDied, PartDone, PartLost, PartPool


class Script:
    """Runs each part as a script says: what happens in its first, second and further runs; then it is done."""

    def __init__(self, happens: dict[str, str]) -> None:
        self.slots, self._running = 2, list[ArchivePart]()
        self._happens = {name: iter(events) for name, events in happens.items()}
        self.runs = list[str]()

    def submit(self, part: ArchivePart) -> None:
        self._running.append(part)

    def next_event(self, seconds: float) -> EngineEvent | None:
        part = self._running.pop(0)
        names = "".join(item.name for item in part.items)
        self.runs.append(names)
        event = self._next(names) if not part.killed else "done"
        if event == "x":
            return PartDied(part, "SIGKILL")
        if event == "l":
            return PartLost(part)
        failures = ((names, part.killed),) if part.killed else ()
        return PartDone(PartOutcome(part, WRITTEN, len(names), failures))

    def _next(self, names: str) -> str:
        events: Iterator[str] = self._happens.get(names, iter(""))
        return next(events, "done")

    def close(self) -> None:
        """Nothing runs."""


def outcomes(script: Script, *names: str) -> list[tuple[str, str]]:
    """The inputs of each part that is done, and why they failed."""
    parts = [ArchivePart(tuple(map(PlannedItem, name)), "key", "/") for name in names]
    done = [event.outcome for event in PartPool(script).run(parts) if isinstance(event, PartDone)]
    return [("".join(item.name for item in one.part.items), one.part.killed) for one in done]


def test_a_part_whose_machine_is_lost_is_read_again_and_nothing_fails() -> None:
    script = Script({"ab": "l" * (MOST_LOST - 1)})
    assert sorted(outcomes(script, "ab", "cd")) == [("ab", ""), ("cd", "")]
    assert script.runs.count("ab") == MOST_LOST


def test_an_input_that_brings_down_each_machine_is_given_up_at_last() -> None:
    script = Script({"a": "l" * 99})
    assert sorted(outcomes(script, "a", "b")) == [
        ("a", "the process that read it died 2 times (its machine was lost)"), ("b", ""),
    ]  # fmt: skip
    assert script.runs.count("a") == 2 * MOST_LOST + 1  # the last one only records the failure


@pytest.mark.parametrize("killer", "abcde")
def test_the_one_input_that_kills_is_found(killer: str) -> None:
    parts = ["abcde"[begin:end] for end in range(6) for begin in range(end)]
    script = Script({part: "x" * 9 for part in parts if killer in part})
    done = outcomes(script, "abcde", "fg")
    assert [names for names, reason in done if reason] == [killer]
    assert sorted("".join(names for names, _ in done)) == list("abcdefg")

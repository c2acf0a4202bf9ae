"""What is made from networks, how, and in which order: the entries of `figures.toml`, which `remake.py` makes."""

from __future__ import annotations

import sys
from collections.abc import Collection, Iterator, Sequence
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path

if sys.version_info >= (3, 11):
    import tomllib
else:
    import tomli as tomllib

TABLE = Path(__file__).with_name("figures.toml")
"""What is made, and how."""


@dataclass(frozen=True)
class Entry:
    """What some commands make; `figures.toml` says what each field means."""

    name: str
    networks: Sequence[str]
    commands: Sequence[str]
    writes: Sequence[str]
    minutes: float
    cards: Sequence[str] = ()
    after: Sequence[str] = ()
    copy: Sequence[str] = ()
    alone: bool = False
    needs: str = ""


@dataclass(frozen=True)
class Table:
    """All entries in their order, and the files of each network, from the root of the checkout on."""

    root: Path
    made: dict[str, Entry]
    networks: dict[str, list[str]]

    def written(self, entry: Entry) -> set[str]:
        """Return the networks that an entry writes; cards do not count."""
        return {name for name, files in self.networks.items() if set(files) & set(entry.writes)}

    def before(self, entry: Entry) -> set[str]:
        """Return the names of the entries that come directly before one."""
        above = list(self.made.values())[: list(self.made).index(entry.name)]
        needed = {one.name for one in above if {*self.written(one), *one.cards} & set(entry.networks)}
        return needed | ({one.name for one in above} if "*" in entry.after else set(entry.after))

    def affected(self, changed: Collection[str]) -> Iterator[Entry]:
        """Yield what depends on changed networks, directly or by networks that are made from them, in order."""
        now = set(changed)
        for entry in self.made.values():
            if now & set(entry.networks):
                yield entry
                now |= self.written(entry)

    def digests(self, names: Collection[str]) -> dict[str, str]:
        """Return the SHA-256 of the files of some networks."""
        files = {name: b"".join((self.root / one).read_bytes() for one in self.networks[name]) for name in names}
        return {name: sha256(contents).hexdigest() for name, contents in files.items()}


def read_table(file: Path = TABLE) -> Table:
    """Read the table, which lies in a folder of the checkout."""
    known = tomllib.loads(file.read_text(encoding="utf-8"))
    made = {name: Entry(name, **said) for name, said in known["made"].items()}
    return Table(file.resolve().parents[1], made, known["networks"])

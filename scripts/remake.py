"""When a network changes: list what is made from it, or make it again.

    python scripts/remake.py --list --changed default finder
    python scripts/remake.py DATA --changed default finder [--jobs N] [--log FOLDER]

`figures.toml` says what is made, how, and from which networks. A network that is made from a changed one has changed,
too; one whose card alone is written has not. DATA has fer2013/, news_faces/, photos/, scenes/ and videos/.

Each entry has a log in FOLDER, NAME.log. NAME.json there says for which files of networks it was made: an interrupted
run goes on, and nothing is made twice for the same networks, unless NAME.json is deleted. What fails does not stop the
others, but what comes after it waits; the exit code is then 1. Nothing waits for what ``--skip`` leaves out.
"""

from __future__ import annotations

import argparse
import json
import os
import re
import shlex
import subprocess
import sys
import threading
from collections.abc import Sequence
from concurrent.futures import FIRST_COMPLETED, Future, ThreadPoolExecutor, wait
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from typing import Any

sys.path.insert(0, str(Path(__file__).resolve().parents[1]))

from facemood.atomic import replacing
from scripts.figures_table import TABLE, Entry, Table, read_table

FINE = ("made", "up to date")
"""What can become of an entry if nothing is wrong."""

PLACE = re.compile(r"(?<=[ :])(?:WORK/([\w-]+)|DATA\b)")
"""A folder in a command: of an entry, or of the data."""


RECORDS = threading.Lock()
"""Held while records of what is made are written: entries are made by several threads."""


@dataclass(frozen=True)
class Workshop:
    """Where entries are made: the table, the data, and the folder of logs."""

    table: Table
    data: Path
    log: Path

    def is_done(self, entry: Entry) -> bool:
        """Return whether an entry was made by the same commands from the same networks."""
        file = self.log / f"{entry.name}.json"
        known = json.loads(file.read_text(encoding="utf-8")) if file.is_file() else {}
        return (known.get("networks"), known.get("commands")) == (self.table.digests(entry.networks), entry.commands)

    def work(self, name: str) -> Path:
        """Return the folder of an entry for the networks as they are."""
        digests = json.dumps(self.table.digests(self.table.made[name].networks))
        return self.log / "work" / f"{name}-{sha256(digests.encode()).hexdigest()[:12]}"

    def words(self, command: str) -> list[str]:
        """Return a command as it is run, with the folders in their places."""
        text = PLACE.sub(lambda found: shlex.quote(str(self.work(found[1]) if found[1] else self.data)), command)
        first, *words = shlex.split(text)
        return [sys.executable, *(["-m", "facemood"] if first == "facemood" else []), *words]

    def missing(self, entry: Entry) -> list[Path]:
        """Return what an entry reads of DATA and of other entries' folders, and that is not there."""
        words = (word for command in entry.commands for word in self.words(command))
        files = {Path(word.removeprefix("fer2013:")) for word in words}
        read = {file for file in files if file.is_relative_to(self.data) or file.is_relative_to(self.log)}
        return sorted(one for one in read if not one.exists() and not one.is_relative_to(self.work(entry.name)))

    def make(self, entry: Entry) -> str:
        """Make an entry, unless it is made; return one of `FINE`, or what is wrong."""
        if self.is_done(entry):
            return "up to date"
        if missing := self.missing(entry):
            return f"there is no {missing[0]}" + (f"; it needs {entry.needs}" if entry.needs else "")
        self.work(entry.name).mkdir(parents=True, exist_ok=True)
        seconds, log, old = 0.0, self.log / f"{entry.name}.log", self.table.digests(entry.cards)
        log.write_bytes(b"")
        for words in [self.words(command) for command in entry.commands]:
            code, spent = run(words, self.table.root, log)
            seconds += spent
            if code:
                return f"exit code {code}, see {log}"
        made = {"networks": self.table.digests(entry.networks), "commands": entry.commands}
        write(log.with_suffix(".json"), {**made, "minutes": round(seconds / 60, 1)})
        self.keep(old)
        return "made"

    def keep(self, old: dict[str, str]) -> None:
        """Let what was made before a card was written count as made: the weights are those of the old digest."""
        new = self.table.digests(old)
        for file in self.log.glob("*.json"):
            known = json.loads(file.read_text(encoding="utf-8"))
            stale = {name: new[name] for name, digest in known["networks"].items() if digest == old.get(name)}
            if stale:
                write(file, {**known, "networks": known["networks"] | stale})


def write(file: Path, known: dict[str, Any]) -> None:
    """Write for which networks an entry is made."""
    with replacing(file, encoding="utf-8") as out:
        out.write(json.dumps(known, indent=1) + "\n")


def run(words: list[str], root: Path, log: Path) -> tuple[int, float]:
    """Run a command, whose output goes to the log, or to a file after ``>``; return exit code and CPU seconds."""
    words, page = (words[:-2], root / words[-1]) if words[-2] == ">" else (words, None)
    paths = [str(root / "src"), str(root), *filter(None, [os.environ.get("PYTHONPATH")])]
    environment = {**os.environ, "PYTHONPATH": os.pathsep.join(paths)}
    printed = log.with_suffix(".out") if page else log
    with log.open("ab") as said, printed.open("wb" if page else "ab") as output:
        said.write(f"{shlex.join(words)}\n".encode())
        said.flush()
        child = subprocess.Popen(words, cwd=root, env=environment, stdout=output, stderr=said)
        _, status, usage = os.wait4(child.pid, 0)
        child.returncode = os.waitstatus_to_exitcode(status)
    if page and not child.returncode:
        page.write_bytes(printed.read_bytes())
    return child.returncode, usage.ru_utime + usage.ru_stime


def make_all(shop: Workshop, entries: Sequence[Entry], jobs: int) -> dict[str, str]:
    """Make entries, some at the same time; return what became of each."""
    waiting, ended, running = {one.name: one for one in entries}, dict[str, str](), dict[str, Future[str]]()
    with ThreadPoolExecutor(jobs) as pool:
        while waiting or running:
            for name, entry in list(waiting.items()):
                before = shop.table.before(entry)
                alone = entry.alone or any(shop.table.made[one].alone for one in running)
                if wrong := sorted(one for one in before if ended.get(one, FINE[0]) not in FINE):
                    del waiting[name]
                    ended[name] = tell(name, f"waits for {', '.join(wrong)}")
                elif not before & {*waiting, *running} and len(running) < (1 if alone else jobs):
                    running[name] = pool.submit(shop.make, waiting.pop(name))
            wait(running.values(), return_when=FIRST_COMPLETED)
            for name in [one for one, future in running.items() if future.done()]:
                ended[name] = tell(name, running.pop(name).result())
    return ended


def tell(name: str, what: str) -> str:
    """Print what became of an entry, and return it."""
    print(f"{name}: {what}", flush=True)
    return what


def show(entries: Sequence[Entry], shop: Workshop) -> None:
    """List entries: minutes, whether they are made, what they depend on, what they write and what else is to do."""
    for entry in entries:
        state = "done " if shop.is_done(entry) else "to do"
        print(f"{entry.name:19} {entry.minutes:4g} min  {state}  {', '.join(entry.networks) or 'no network'}")
        also = {
            "writes": " ".join(entry.writes),
            "needs": " ".join(entry.needs.split()),
            "copy into": " ".join(entry.copy),
        }
        print("".join(f"{'':36}{words} {said}\n" for words, said in also.items() if said), end="")
    print(f"{len(entries)} entries, about {sum(entry.minutes for entry in entries):g} CPU minutes")


def main() -> None:
    """List or make what depends on networks; exit with 1 if something failed."""
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    parser.add_argument("data", type=Path, nargs="?")
    parser.add_argument("--changed", nargs="+", metavar="NETWORK", help="networks that changed; all if not given")
    parser.add_argument("--only", nargs="+", metavar="NAME", help="of these entries alone")
    parser.add_argument("--skip", nargs="+", metavar="NAME", help="without these entries")
    parser.add_argument("--list", action="store_true", help="list, and make nothing")
    parser.add_argument("--jobs", type=int, default=1, help="how many entries are made at the same time")
    parser.add_argument("--log", type=Path, help="folder of the logs; without it, remade, beside the checkout")
    parser.add_argument("--table", type=Path, default=TABLE, help=argparse.SUPPRESS)
    options = parser.parse_args()
    table = read_table(options.table)
    for known, names in ((table.networks, options.changed), (table.made, options.only), (table.made, options.skip)):
        for name in [one for one in names or () if one not in known]:
            parser.error(f"there is no {name!r}; expected of: {', '.join(known)}")
    log = (options.log or table.root.parent / "remade").resolve()
    if log.is_relative_to(table.root):
        parser.error(f"--log {log}: expected a folder outside the repository")
    if options.data is None and not options.list:
        parser.error("expected DATA, or --list")
    shop = Workshop(table, (options.data or Path("DATA")).resolve(), log)
    entries = [*table.made.values()] if options.changed is None else [*table.affected(options.changed)]
    wanted = {*(options.only or table.made)} - {*(options.skip or ())}
    entries = [one for one in entries if one.name in wanted]
    if options.list:
        show(entries, shop)
        return
    log.mkdir(parents=True, exist_ok=True)
    ended = make_all(shop, entries, options.jobs)
    wrong = [name for name, what in ended.items() if what not in FINE]
    for entry in (one for one in entries if one.copy and ended[one.name] == "made"):
        print(f"now copy figures from {log / entry.name}.log into {' '.join(entry.copy)}")
    print(f"{len(ended) - len(wrong)} of {len(ended)} are made" + (f"; not {', '.join(wrong)}" if wrong else ""))
    sys.exit(1 if wrong else 0)


if __name__ == "__main__":
    main()

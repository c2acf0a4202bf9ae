"""scripts/remake.py lists and makes what depends on networks, in order, and goes on where it stopped."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path

import pytest

from tests.conftest import ROOT

MAKER = """
import sys, time
from pathlib import Path

what, *names = sys.argv[1:]
with open("made.txt", "a") as file:
    file.write(" ".join([what, *names]) + "\\n")
if what == "print":
    print(*names)
elif what == "card":
    Path(names[0]).write_bytes(b"weights of card")
elif what == "write":
    Path(names[0]).write_text(Path(names[1]).read_text() + "!")
elif what == "meet":
    Path(names[0]).touch()
    until = time.monotonic() + 60
    while not Path(names[1]).exists():
        assert time.monotonic() < until, "the other is not made at the same time"
        time.sleep(0.01)
elif what == "lonely":
    Path("lonely").touch()
    time.sleep(0.2)
    Path("lonely").unlink()
elif what == "watch":
    assert not Path("lonely").exists()
elif what == "need" and not Path(names[0]).exists():
    sys.exit(3)
"""
"""What stands for the scripts that measure: it notes its words, and does one small thing."""

NETWORKS = {"large": ["large.bin"], "small": ["small.bin"], "units": ["one.csv", "two.npz"]}


class Checkout:
    """A small checkout: networks, a table of what is made from them, and a script that makes it."""

    def __init__(self, folder: Path) -> None:
        self.root, self.log, self.data = folder / "checkout", folder / "made again", folder / "my data"
        (self.root / "scripts").mkdir(parents=True)
        self.data.mkdir()
        (self.root / "make.py").write_text(MAKER)
        for files in NETWORKS.values():
            for file in files:
                (self.root / file).write_text(f"weights of {file}")

    def write(self, *entries: tuple[str, list[str], list[str], str]) -> None:
        """Write the table: of each entry its name, its networks, its commands and other lines."""
        lines = ["[networks]", *(f"{name} = {json.dumps(files)}" for name, files in NETWORKS.items())]
        for name, networks, commands, more in entries:
            lines += [f"[made.{name}]", f"networks = {json.dumps(networks)}", f"commands = {json.dumps(commands)}"]
            lines += ["minutes = 2", more if "writes" in more else f"writes = []\n{more}"]
        (self.root / "scripts" / "figures.toml").write_text("\n".join(lines))

    def remake(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Run the script."""
        command = [sys.executable, str(ROOT / "scripts" / "remake.py"), *options]
        command += ["--table", str(self.root / "scripts" / "figures.toml")]
        return subprocess.run(command, capture_output=True, text=True, timeout=300)

    def make(self, *options: str) -> subprocess.CompletedProcess[str]:
        """Make entries from the data."""
        return self.remake(str(self.data), "--log", str(self.log), *options)

    def made(self) -> list[str]:
        """What was run since the last time."""
        file = self.root / "made.txt"
        lines = file.read_text().splitlines() if file.exists() else []
        file.unlink(missing_ok=True)
        return lines


@pytest.fixture
def checkout(tmp_path: Path) -> Checkout:
    return Checkout(tmp_path)


def names_of(listed: subprocess.CompletedProcess[str]) -> list[str]:
    """The names of the entries that are listed."""
    assert listed.returncode == 0, listed.stderr
    return [line.split()[0] for line in listed.stdout.splitlines()[:-1] if line[0] != " "]


def test_what_depends_on_a_network_is_listed_with_what_it_takes(checkout: Checkout) -> None:
    checkout.write(
        ("first", ["large"], ["python make.py a"], 'writes = ["docs/a.json"]\ncopy = ["README.md"]'),
        ("second", ["small"], ["python make.py b"], 'needs = "a person"'),
        ("third", ["large", "small"], ["python make.py c"], ""),
    )
    listed = checkout.remake("--list", "--changed", "large")
    assert names_of(listed) == ["first", "third"]
    for words in ("writes docs/a.json", "copy into README.md", "2 entries, about 4 CPU minutes"):
        assert words in listed.stdout
    assert names_of(checkout.remake("--list")) == ["first", "second", "third"]
    assert checkout.made() == []


def test_a_network_that_is_made_from_a_changed_one_has_changed_too_and_a_card_has_not(checkout: Checkout) -> None:
    checkout.write(
        ("small", ["large"], ["python make.py a"], 'writes = ["small.bin"]'),
        ("carded", ["large"], ["python make.py b"], 'cards = ["units"]'),
        ("page", ["small"], ["python make.py c"], ""),
        ("other", ["units"], ["python make.py d"], ""),
    )
    assert names_of(checkout.remake("--list", "--changed", "large")) == ["small", "carded", "page"]


def test_all_is_made_in_order_and_once_for_the_same_networks(checkout: Checkout) -> None:
    checkout.write(
        ("network", ["large"], ["python make.py write small.bin large.bin"], 'writes = ["small.bin"]'),
        ("page", ["small"], ["python make.py a 'two words'", "python make.py b"], 'copy = ["README.md"]'),
        ("units", ["units"], ["python make.py c"], ""),
    )
    done = checkout.make()
    assert done.returncode == 0, done.stdout
    assert checkout.made() == ["write small.bin large.bin", "a two words", "b", "c"]
    assert f"copy figures from {checkout.log / 'page'}.log into README.md" in done.stdout
    assert "network: up to date" in checkout.make().stdout
    assert checkout.made() == []
    (checkout.root / "two.npz").write_text("other weights")
    assert "3 of 3 are made" in checkout.make().stdout
    assert checkout.made() == ["c"]
    (checkout.root / "large.bin").write_text("other weights")
    assert checkout.make("--only", "network", "page").returncode == 0
    assert checkout.made() == ["write small.bin large.bin", "a two words", "b"]
    (checkout.log / "units.json").unlink()
    assert checkout.make("--skip", "page").returncode == 0
    assert checkout.made() == ["c"]


def test_a_card_is_written_before_the_pages_and_makes_nothing_old(checkout: Checkout) -> None:
    checkout.write(
        ("taught", ["large", "small"], ["python make.py a"], ""),
        ("measured", ["large"], ["python make.py card large.bin"], 'cards = ["large"]'),
        ("page", ["large"], ["python make.py b"], ""),
    )
    assert checkout.make("--only", "taught").returncode == 0
    assert checkout.make("--jobs", "2").returncode == 0
    assert checkout.made() == ["a", "card large.bin", "b"]
    assert checkout.make().stdout.count("up to date") == 3
    (checkout.root / "large.bin").write_text("other weights")
    assert checkout.make("--only", "taught").returncode == 0
    assert checkout.made() == ["a"]


def test_what_fails_stops_only_what_comes_after_it(checkout: Checkout) -> None:
    checkout.write(
        ("network", ["large"], ["python make.py need lucky.txt"], 'writes = ["small.bin"]'),
        ("page", ["small"], ["python make.py a"], ""),
        ("later", ["units"], ["python make.py b"], 'after = ["page"]'),
        ("free", ["large"], ["python make.py c"], 'copy = ["README.md"]'),
        ("last", ["units"], ["python make.py d"], 'after = ["*"]'),
    )
    done = checkout.make()
    assert done.returncode == 1
    assert checkout.made() == ["need lucky.txt", "c"]
    lines = done.stdout.splitlines()
    assert lines[0] == f"network: exit code 3, see {checkout.log / 'network.log'}"
    assert {"page: waits for network", "later: waits for page", "last: waits for later, network, page"} <= {*lines}
    assert lines[-1] == "1 of 5 are made; not network, page, later, last"
    assert checkout.make("--skip", "network", "last").returncode == 0
    assert checkout.made() == ["a", "b"]
    (checkout.root / "lucky.txt").touch()
    assert checkout.make().returncode == 0
    assert checkout.made() == ["need lucky.txt", "d"]


def test_a_log_has_the_command_and_what_it_said_and_a_page_what_it_printed(checkout: Checkout) -> None:
    checkout.write(
        ("log", ["large"], ["python make.py print to the log"], ""),
        ("page", ["large"], ["python make.py print to the page > page.md"], ""),
        ("broken", ["large"], ["python make.py need nothing > kept.md"], ""),
    )
    (checkout.root / "kept.md").write_text("as it was")
    assert checkout.make().returncode == 1
    command, said = (checkout.log / "log.log").read_text().splitlines()
    assert command.endswith("make.py print to the log")
    assert said == "to the log"
    assert (checkout.root / "page.md").read_text() == "to the page\n"
    assert (checkout.root / "kept.md").read_text() == "as it was"


def test_data_and_folders_are_put_into_commands(checkout: Checkout) -> None:
    checkout.write(
        ("photos", ["large"], ["python make.py a DATA fer2013:DATA/faces --data DATA/faces"], ""),
        ("cached", ["large"], ["python make.py b WORK/cached/file.npz"], ""),
        ("unmade", ["small"], ["python make.py c WORK/cached/file.npz"], 'needs = "what cached leaves"'),
    )
    done = checkout.make()
    assert f"photos: there is no {checkout.data / 'faces'}\n" in done.stdout
    first = Path(checkout.made()[0].removeprefix("b "))
    assert first.is_relative_to(checkout.log)
    assert first.parent.is_dir()
    assert f"unmade: there is no {first}; it needs what cached leaves" in done.stdout
    (checkout.data / "faces").mkdir()
    first.touch()
    assert checkout.make().returncode == 0
    assert checkout.made() == [
        f"a {checkout.data} fer2013:{checkout.data}/faces --data {checkout.data}/faces",
        f"c {first}",
    ]
    (checkout.root / "large.bin").write_text("other weights")
    checkout.make("--only", "cached")
    assert Path(checkout.made()[0].removeprefix("b ")) != first


def test_several_are_made_at_the_same_time_but_not_beside_what_measures_time(checkout: Checkout) -> None:
    checkout.write(
        ("one", ["large"], ["python make.py meet one.txt other.txt"], ""),
        ("other", ["large"], ["python make.py meet other.txt one.txt"], ""),
        ("timed", ["large"], ["python make.py lonely"], "alone = true"),
        ("watching", ["large"], ["python make.py watch"], ""),
        ("too", ["large"], ["python make.py watch"], ""),
    )
    done = checkout.make("--jobs", "2")
    assert done.returncode == 0, done.stdout
    assert len(checkout.made()) == 5


@pytest.mark.parametrize(
    ("options", "said"),
    [
        (("--changed", "huge"), "there is no 'huge'; expected of: large, small, units"),
        (("--only", "page", "pag"), "there is no 'pag'; expected of: page"),
        (("--log", "{root}/logs"), "expected a folder outside the repository"),
        ((), "expected DATA, or --list"),
    ],
)
def test_what_is_asked_wrongly_is_said(options: tuple[str, ...], said: str, checkout: Checkout) -> None:
    checkout.write(("page", ["large"], ["python make.py a"], ""))
    given = [one.format(root=checkout.root) for one in options]
    refused = checkout.make(*given) if given else checkout.remake()
    assert refused.returncode == 2
    assert said in refused.stderr
    assert not checkout.made()
    assert not (checkout.root / "logs").exists()

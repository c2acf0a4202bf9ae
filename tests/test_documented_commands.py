"""The commands of the documents: each is understood as it stands, and those that need nothing special are run."""

from __future__ import annotations

import re
import shlex
import shutil
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import pytest
from typer.testing import CliRunner

from facemood.cli.entry import build_app
from facemood.cli.examples import EXAMPLES
from tests.cli.test_help import COMMANDS
from tests.conftest import PHOTOS, ROOT, load_script
from tests.moving_faces import read_photo
from tests.study_videos import Shot, write_video

PAGES = sorted(
    path
    for folder in (
        ROOT,
        ROOT / "docs",
        ROOT / "docs" / "models",
        ROOT / "docs" / "notebooks",
        ROOT / "docs" / "course",
    )
    for path in folder.glob("*.md")
    if path.name != "CHANGELOG.md"  # it tells of commands that were there once
)

FENCED = re.compile(r"^```([^\n]*)\n(.*?)^```", flags=re.MULTILINE | re.DOTALL)
INDENTED = re.compile(r"(?:^    .*\n)+", flags=re.MULTILINE)
INLINE = re.compile(r"(?<!`)`([^`\n]+(?:\n[^`\n]+)?)`(?!`)")

RUN = ("analyze", "explain", "models", "web")
"""Commands that are run as a page says."""

ELSEWHERE = {
    "archive": "tests/cli/test_archive_command.py",
    "doctor": "tests/cli/test_doctor_command.py",
    "evaluate": "tests/cli/test_evaluate_command.py",
    "export": "tests/cli/test_train_command.py",
    "learn": "tests/cli/test_learn_command.py",
    "live": "tests/cli/test_live_command.py",
    "review": "tests/cli/test_review_command.py",
    "serve": "tests/cli/test_serve_command.py",
    "soft-labels": "tests/cli/test_train_command.py",
    "train": "tests/cli/test_train_command.py",
    "tune": "tests/train/test_tune.py",
}
"""Commands that need a dataset, a camera or hours, and the test that runs them on small made things."""

SPECIAL = ("--workers", "--on", "--shard", "--serve", "--segmenter", "--webgpu", "s3://", "https://", "runs/own")
"""Parts of a command that need time, other machines, a network or a trained model; tests of their own run these."""

FOREIGN = {
    "--budget",
    "--files",
    "--fuzz-times",
    "--help",
    "--install-completion",
    "--no-isolation",
    "--sign",
    "--version",
}
"""Options of Typer, of git, and of scripts that the text names before them."""


def commands_of(page: Path) -> Iterator[list[str]]:
    """Yield the commands of a page's blocks of code, as the words after ``facemood``."""
    text = page.read_text()
    blocks = [code for kind, code in FENCED.findall(text) if kind in ("sh", "bash", "")]
    blocks += INDENTED.findall(FENCED.sub("", text))
    for line in "\n".join(blocks).replace("\\\n", " ").splitlines():
        counted = re.sub(r"\$\(\(.*?\)\)", "1", line)  # arithmetic of the shell
        words = shlex.split(counted, comments=True) if "facemood " in line and "`" not in line else []
        while "facemood" in words:
            words = words[words.index("facemood") + 1 :]
            ends = [words.index(one) for one in ("|", "&&", ";") if one in words]
            if words and words[0].split()[0] in {name.split()[0] for name in COMMANDS if name}:
                yield words[: min(ends, default=len(words))]


def understand(words: list[str]) -> None:
    """Parse a command as the program would; an unknown command or option is an error."""
    command: Any = COMMANDS[""]
    context = command.make_context("facemood", [], resilient_parsing=True)
    while words and words[0] in getattr(command, "commands", {}):
        command = command.commands[words[0]]
        context = command.make_context(words[0], [], parent=context, resilient_parsing=True)
        words = words[1:]
    _, left, _ = command.make_parser(context).parse_args(words)
    assert left == [], words


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_every_command_is_understood(page: Path) -> None:
    for words in commands_of(page):
        understand(words)


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_text_names_commands_and_options_that_exist(page: Path) -> None:
    text = INDENTED.sub("", FENCED.sub("", page.read_text()))
    known = {
        option for command in COMMANDS.values() for one in command.params for option in (*one.opts, *one.secondary_opts)
    }
    for code in INLINE.findall(text):
        words = code.split()
        if words[0] == "facemood" and len(words) > 1 and re.match("[a-z]", words[1]):
            assert words[1] in {name.split()[0] for name in COMMANDS if name}, code
        options = set(re.findall(r"(?<![\w-])--[a-z][a-z-]*", code))
        if words[0] in ("facemood", *COMMANDS) or words[0].startswith("--"):
            assert options <= known | FOREIGN, code


@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_text_names_files_that_exist(page: Path) -> None:
    homes = (ROOT, ROOT / "src" / "facemood", ROOT / "tests", page.parent)
    for code in INLINE.findall(page.read_text()):
        if (
            re.fullmatch(
                r"(scripts|tests|benchmarks|src|docs|examples|requirements|soft_labels|server|cli|train)/[a-z][\w./-]*",
                code,
            )
            and "NAME" not in code
        ):
            assert any((home / code).exists() for home in homes), code


def test_the_command_reference_has_every_command_with_its_options_and_examples() -> None:
    page = load_script("command_reference").command_reference()
    sections = dict(re.findall(r"^## ([^\n]+)\n(.*?)(?=^## |\Z)", page, flags=re.MULTILINE | re.DOTALL))
    assert set(EXAMPLES) == set(sections)
    for name, section in sections.items():
        shown = {option for one in COMMANDS[name].params if not getattr(one, "hidden", False) for option in one.opts}
        assert [option for option in shown if option.startswith("-") and option not in section] == []
        assert all(f"\nfacemood {line}\n" in section for line in EXAMPLES[name])


def test_commands_that_are_not_run_here_are_run_elsewhere() -> None:
    assert {words[0] for page in PAGES for words in commands_of(page)} <= {*RUN, *ELSEWHERE}
    for command, file in ELSEWHERE.items():
        assert command in (ROOT / file).read_text().replace("_", "-"), file


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with the files that examples name: photos of one face, videos of two seconds, the plan of a study."""
    made = tmp_path_factory.mktemp("files")
    photo = cv2.resize(read_photo("astronaut.png")[:400, 60:460], (240, 240), interpolation=cv2.INTER_AREA)
    names = ("photo.jpg", "group.png", "new.jpg", "photos/a.jpg", "photos/b.jpg", "album/c.jpg", "trip/d/e.jpg")
    for name in names:
        (made / name).parent.mkdir(parents=True, exist_ok=True)
        cv2.imwrite(str(made / name), photo)
    (made / "scans").mkdir()
    cv2.imwrite(str(made / "scans" / "turned.png"), cv2.rotate(photo, cv2.ROTATE_90_COUNTERCLOCKWISE))
    shutil.copy(PHOTOS / "grace_hopper.jpg", made)
    (made / "videos").mkdir()
    video = write_video(made / "videos" / "p01.mp4", [Shot(1, [("astronaut", 240)])])
    for name in ("interview.mp4", "talk.mp4"):
        shutil.copy(video, made / name)
    (made / "plan.csv").write_text("path,participant,condition\np01.mp4,p01,calm\n")
    return made


@pytest.fixture
def folder(files: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A copy of these files, where the commands of a page run."""
    shutil.copytree(files, tmp_path, dirs_exist_ok=True)
    monkeypatch.chdir(tmp_path)
    return tmp_path


@pytest.mark.slow
@pytest.mark.parametrize("page", PAGES, ids=lambda page: str(page.relative_to(ROOT)))
def test_commands_run(page: Path, folder: Path) -> None:
    for words in commands_of(page):
        if words[0] in RUN and not any(part in word for part in SPECIAL for word in words):
            given = (folder / "photo.jpg").read_bytes() if "-" in words else None
            done = CliRunner().invoke(build_app(), words, input=given)
            assert done.exit_code == 0, (words, done.output, done.exception)

import os
import subprocess
import sys
from pathlib import Path

import pytest

import facemood as package
from facemood.cli.entry import check_given
from facemood.errors import OptionError
from tests.cli.conftest import Run
from tests.conftest import PHOTOS

PHOTO = str(PHOTOS / "astronaut.png")


def test_the_version_goes_to_stdout(facemood: Run) -> None:
    done = facemood("--version")
    assert (done.returncode, done.stdout, done.stderr) == (0, f"{package.__version__}\n", "")


def test_help_lists_the_commands(facemood: Run) -> None:
    done = facemood("--help")
    assert done.returncode == 0
    assert all(command in done.stdout for command in ("analyze", "evaluate", "train", "export", "models", "doctor"))


def test_a_misspelt_command_or_option_is_a_usage_error_with_a_suggestion(facemood: Run) -> None:
    done = facemood("analize", "photo.jpg")
    assert done.returncode == 2
    assert "Did you mean 'analyze'?" in done.stderr
    done = facemood("analyze", "photo.jpg", "--jsn")
    assert done.returncode == 2
    assert "--json" in done.stderr


@pytest.mark.parametrize(
    ("arguments", "message"),
    [
        (("analyze", PHOTO, "--model", "ferc", "--views", "2"), "views must be 1, but is 2"),
        (("live", "screen", "--model", "ferc", "--views", "2"), "views must be 1, but is 2"),
        (("serve", "--model", "ferc", "--views", "2"), "views must be 1, but is 2"),
        (("analyze", PHOTO, "--smooth", "inf"), "smooth must be a number of seconds, 0 or more, but is inf"),
        (("live", "screen", "--smooth", "inf"), "smooth must be a number of seconds, 0 or more, but is inf"),
        (("analyze", PHOTO, "--every", f"1{'0' * 400}.0s"), "every must be a number of frames or seconds above 0"),
        (("analyze", PHOTO, "--baseline", f"0-1{'0' * 400}"), "baseline must start at 0 seconds or later"),
        (("serve", "--min-face", "inf"), "min_face must be a number of pixels above 0, but is inf"),
    ],
)
def test_an_option_out_of_its_range_is_one_message_and_wrong_usage(
    facemood: Run, arguments: tuple[str, ...], message: str
) -> None:
    done = facemood(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    (line,) = done.stderr.splitlines()
    assert line.startswith("facemood: ")
    assert message in line


@pytest.mark.parametrize(
    ("typed", "offered"),
    [("facemood an", "analyze"), ("facemood archive st", "status"), ("facemood analyze --lang", "--language")],
)
def test_the_tab_key_completes_commands_and_options(typed: str, offered: str) -> None:
    code = "import sys; sys.argv[0] = 'facemood'; from facemood.cli import main; main()"
    words = {"_FACEMOOD_COMPLETE": "complete_bash", "COMP_WORDS": typed, "COMP_CWORD": str(typed.count(" "))}
    done = subprocess.run([sys.executable, "-c", code], env={**os.environ, **words}, capture_output=True, text=True)
    assert done.stdout.split() == [offered]


def test_a_command_that_ends_does_not_look_through_its_objects_for_garbage() -> None:
    code = "import atexit, gc, sys; from facemood.cli import main; sys.argv = ['facemood', '--version']\n"
    code += "atexit.register(lambda: print(gc.get_freeze_count() > 1000))\nmain()"  # the first is last
    done = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True, check=True)
    assert done.stdout.splitlines()[1:] == ["True"]


@pytest.mark.parametrize(
    "arguments",
    [
        ("web", ""),
        ("review", ""),
        ("evaluate", "--data", ""),
        ("train", "nano", "--data=", "--run", "out"),
        ("train", "nano", "--data", "folder:faces", "--run", ""),
        ("analyze", PHOTO, "-o", ""),
        ("serve", "--token="),
        ("models", "verify", ""),
    ],
)
def test_an_empty_value_is_refused_and_nothing_is_written(
    facemood: Run, tmp_path: Path, arguments: tuple[str, ...]
) -> None:
    done = facemood(*arguments)
    assert (done.returncode, done.stdout) == (2, "")
    assert "empty" in done.stderr
    assert len(done.stderr.splitlines()) == 1
    assert list(tmp_path.iterdir()) == []


def test_words_that_end_with_an_equals_sign_are_not_empty() -> None:
    check_given(["train", "nano", "--set", "network.start=", "--data", "folder:a=", "--title==", "-"])
    check_given(["analyze", "", "photo.jpg"])
    with pytest.raises(OptionError, match=r"the value of --token is empty; give one, or leave --token out"):
        check_given(["serve", "--token="])

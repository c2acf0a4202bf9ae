import facemood as package
from tests.cli.conftest import Run


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

import pytest

from facemood.progress import open_hook


def test_a_function_is_called_as_it_is() -> None:
    calls = []
    with open_hook(lambda done, total: calls.append((done, total))) as hook:
        hook(1, 2)
    assert calls == [(1, 2)]


def test_without_progress_nothing_is_written(capfd: pytest.CaptureFixture[str]) -> None:
    with open_hook(False) as hook:
        hook(1, 2)
    assert capfd.readouterr() == ("", "")


def test_a_bar_goes_to_stderr_alone(capfd: pytest.CaptureFixture[str]) -> None:
    with open_hook(True) as hook:
        hook(1, 2)
    assert capfd.readouterr().out == ""

import pytest

from facemood.progress import open_hook


def test_a_hook_of_the_user_gets_done_and_total() -> None:
    calls = []
    with open_hook(lambda done, total: calls.append((done, total))) as hook:
        hook(1, 2)
    assert calls == [(1, 2)]


def test_without_progress_nothing_is_written(capfd: pytest.CaptureFixture[str]) -> None:
    with open_hook(False) as hook:
        hook(1, 2)
    assert capfd.readouterr() == ("", "")


def test_a_bar_is_written_to_stderr_only(capfd: pytest.CaptureFixture[str]) -> None:
    with open_hook(True) as hook:
        hook(1, 2)
    assert capfd.readouterr().out == ""

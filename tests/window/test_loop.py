import dataclasses
import threading
from collections.abc import Callable, Iterator
from pathlib import Path

import cv2
import numpy as np
import pytest

from facemood import OutputError, Result, SourceError
from facemood.labels import EXPRESSIONS
from facemood.schema import Image
from facemood.sources import read_video
from facemood.window import LiveOptions, run_headless, run_window
from facemood.window.view import BAR, Status, compose, draw_status, mirror
from tests.videos import number_of
from tests.window.display import SIZE as SCREEN
from tests.window.display import virtual_display
from tests.window.windows import numbered_result, play, press, settle

pygame = pytest.importorskip("pygame", reason="needs the extra live")

INFO = {"labels": list(EXPRESSIONS)}


def no_thread_is_left() -> bool:
    return not [thread for thread in threading.enumerate() if thread.name.startswith("facemood ")]


def read_picture(path: Path) -> Image:
    picture = cv2.imread(str(path))
    assert picture is not None
    return np.asarray(picture, np.uint8)


def shown() -> Image:
    """The pixels of the window, (H, W, 3) BGR."""
    pixels = pygame.surfarray.array3d(pygame.display.get_surface())
    return np.ascontiguousarray(pixels.transpose(1, 0, 2)[:, :, ::-1])


@pytest.mark.usefixtures("unseen")
@pytest.mark.parametrize("key", ["q", "RETURN", "ESCAPE"])
def test_a_key_closes_the_window_and_nothing_is_stored(
    tmp_path: Path, key: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    closed = threading.Event()

    def endless() -> Iterator[Result]:
        try:
            yield numbered_result(0)
            settle()
            press(key)
            while True:
                yield numbered_result(1)
        finally:
            closed.set()

    assert run_window(endless(), INFO) >= 1
    assert closed.is_set()
    assert no_thread_is_left()
    assert not pygame.display.get_init()
    assert list(tmp_path.iterdir()) == []


@pytest.mark.usefixtures("unseen")
def test_the_window_shows_the_annotated_result_and_the_rate() -> None:
    seen: list[Image] = []
    results = play(lambda: seen.append(shown()), results=3)
    assert run_window(results, INFO, name="rtsp://anna:secret@host/1") == 3
    height, width = seen[0].shape[:2]
    assert height > 2 * numbered_result(2).size[1]  # a small picture is enlarged
    expected = compose(numbered_result(2), Status("rtsp://host/1"), (width, height))
    np.testing.assert_array_equal(seen[0][:-BAR], expected[:-BAR])
    np.testing.assert_array_equal(seen[0][-BAR:, :110], expected[-BAR:, :110])  # the name, without the password
    assert (seen[0][-BAR:] != expected[-BAR:]).any()  # the rate


@pytest.mark.usefixtures("unseen")
def test_only_the_window_and_snapshots_are_mirrored(tmp_path: Path) -> None:
    seen: list[Image] = []
    options = LiveOptions(mirror=True, folder=tmp_path, record=True)
    run_window(play("s", lambda: seen.append(shown())), INFO, options)
    (snapshot,), (video,) = tmp_path.glob("*.png"), tmp_path.glob("*.mp4")
    np.testing.assert_array_equal(read_picture(snapshot), mirror(numbered_result(0)).draw())
    assert number_of(seen[0][:-BAR]) == 0b10000000
    assert [number_of(frame.image) for frame in read_video(video)] == [0, 1]


@pytest.mark.usefixtures("unseen")
def test_r_starts_and_stops_a_recording(tmp_path: Path) -> None:
    run_window(play("x", "r", "x", "r", "x"), INFO, LiveOptions(folder=tmp_path))
    (video,) = tmp_path.glob("*.mp4")
    assert sorted(path.name for path in tmp_path.iterdir()) == [
        f"{video.stem}.csv",
        f"{video.stem}.csv.json",
        video.name,
    ]
    assert [number_of(frame.image) for frame in read_video(video)] == [2, 3]


@pytest.mark.usefixtures("unseen")
def test_space_pauses_and_continues(tmp_path: Path) -> None:
    seen: list[Image] = []

    def look_and_go_on() -> None:
        settle()
        seen.append(shown())
        press("s")
        press("SPACE")

    def results() -> Iterator[Result]:
        yield numbered_result(1)
        settle()
        press("SPACE")
        threading.Thread(target=look_and_go_on).start()
        yield numbered_result(2)  # it was on its way; after it nothing is read until the pause ends
        seen.append(shown())
        yield numbered_result(4)
        settle()
        seen.append(shown())

    assert run_window(results(), INFO, LiveOptions(folder=tmp_path)) == 3
    assert number_of(seen[0][:400]) == 1
    assert number_of(seen[2][:400]) == 4
    (snapshot,) = tmp_path.iterdir()
    np.testing.assert_array_equal(read_picture(snapshot), numbered_result(1).draw())


@pytest.mark.usefixtures("unseen")
def test_faces_are_hidden_in_the_window_and_in_all_files(tmp_path: Path) -> None:
    def textured(number: int) -> Result:
        image = np.random.default_rng(number).integers(0, 256, (240, 320, 3), np.uint8)
        return dataclasses.replace(numbered_result(number), image=image)

    passed: list[Result] = []
    seen: list[Image] = []
    options = LiveOptions(anonymize="box", folder=tmp_path, record=True)

    def results() -> Iterator[Result]:
        yield textured(0)
        settle()
        press("s")
        yield textured(1)
        settle()
        seen.append(shown())

    run_window(results(), INFO, options, on_result=passed.append)
    (snapshot,), (video,) = tmp_path.glob("*.png"), tmp_path.glob("*.mp4")
    frames = [frame.image for frame in read_video(video)]
    for image in (*frames, read_picture(snapshot), passed[0].image, cv2.resize(seen[0][:-BAR], (320, 240))):
        assert image is not None
        assert image[140:170, 135:185].std() < 5
        assert image[:50].std() > 15


@pytest.mark.usefixtures("unseen")
def test_the_status_line_reports_a_stalled_source(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("facemood.window.loop.STALLED", 0.0)
    seen: list[Image] = []
    run_window(play(lambda: seen.append(shown())), INFO)
    waiting = [Status("camera:0", rate=rate, notice="no new frame; waiting") for rate in range(100)]
    assert any((draw_status(status, seen[0].shape[1]) == seen[0][-BAR:]).all() for status in waiting)


@pytest.mark.usefixtures("unseen")
def test_a_lost_source_is_an_error_after_the_recording_is_finished(tmp_path: Path) -> None:
    def results() -> Iterator[Result]:
        yield numbered_result(0)
        yield numbered_result(1)
        raise SourceError("camera:0: it went away")

    with pytest.raises(SourceError, match="it went away"):
        run_window(results(), INFO, LiveOptions(folder=tmp_path, record=True))
    (video,) = tmp_path.glob("*.mp4")
    assert [number_of(frame.image) for frame in read_video(video)] == [0, 1]
    assert no_thread_is_left()
    assert not pygame.display.get_init()


@pytest.mark.usefixtures("unseen")
def test_a_source_that_cannot_be_opened_opens_no_window(monkeypatch: pytest.MonkeyPatch) -> None:
    opened: list[object] = []
    monkeypatch.setattr(pygame.display, "set_mode", lambda *mode: opened.append(mode))

    def results() -> Iterator[Result]:
        raise SourceError("camera:7: there is no such camera")
        yield

    with pytest.raises(SourceError, match="there is no such camera"):
        run_window(results(), INFO)
    assert opened == []


@pytest.mark.usefixtures("unseen")
def test_an_unwritable_file_does_not_close_the_window(tmp_path: Path) -> None:
    (tmp_path / "file").write_text("")
    seen: list[Image] = []
    look: list[str | Callable[[], object]] = [lambda: seen.append(shown()), "s", lambda: seen.append(shown()), "r"]
    assert run_window(play(*look), INFO, LiveOptions(folder=tmp_path / "file")) == 4
    assert (seen[0][-BAR:] != seen[1][-BAR:]).sum() > 1000  # the line says why


@pytest.mark.usefixtures("unseen")
def test_a_failed_recording_is_an_error_at_the_end(tmp_path: Path) -> None:
    results = [dataclasses.replace(numbered_result(0), image=None)]
    with pytest.raises(OutputError, match="needs the images"):
        run_window(results, INFO, LiveOptions(folder=tmp_path, record=True))


def test_without_a_window_results_are_recorded_and_passed_on(tmp_path: Path) -> None:
    passed: list[int] = []
    results = (numbered_result(number) for number in range(4))
    options = LiveOptions(folder=tmp_path, record=True)
    assert run_headless(results, INFO, options, on_result=lambda result: passed.append(result.index)) == 4
    (video,) = tmp_path.glob("*.mp4")
    assert [number_of(frame.image) for frame in read_video(video)] == passed == [0, 1, 2, 3]


def test_without_a_window_a_loss_or_an_interruption_keeps_the_recording(tmp_path: Path) -> None:
    for error in (SourceError("it went away"), KeyboardInterrupt()):

        def results(error: BaseException = error) -> Iterator[Result]:
            yield numbered_result(0)
            yield numbered_result(1)
            raise error

        folder = tmp_path / type(error).__name__
        with pytest.raises(type(error)):
            run_headless(results(), INFO, LiveOptions(folder=folder, record=True))
        (video,) = folder.glob("*.mp4")
        assert len(list(read_video(video))) == 2


def test_without_a_window_a_failed_recording_ends_the_run(tmp_path: Path) -> None:
    results = [dataclasses.replace(numbered_result(0), image=None)] * 3
    passed: list[Result] = []
    with pytest.raises(OutputError, match="needs the images"):
        run_headless(results, INFO, LiveOptions(folder=tmp_path, record=True), on_result=passed.append)
    assert passed == []


def test_without_a_window_the_source_is_closed_at_once() -> None:
    def refuse(result: Result) -> None:
        raise BrokenPipeError

    results = play_silently()
    with pytest.raises(BrokenPipeError):
        run_headless(results, INFO, on_result=refuse)
    assert list(results) == []


def play_silently() -> Iterator[Result]:
    """Endless results."""
    while True:
        yield numbered_result(0)


@pytest.mark.display
def test_a_real_window_appears_on_the_screen(monkeypatch: pytest.MonkeyPatch) -> None:
    mss = pytest.importorskip("mss", reason="needs the extra live")
    taken: list[Image] = []

    def take() -> None:
        settle()
        with mss.MSS() as screen:
            shot = screen.grab(screen.monitors[1])
        taken.append(np.frombuffer(shot.raw, np.uint8).reshape(shot.height, shot.width, 4)[:, :, :3])

    with virtual_display() as display:
        monkeypatch.setenv("DISPLAY", display)
        monkeypatch.setenv("SDL_VIDEODRIVER", "x11")
        run_window(play(take, "q", results=2), INFO)
    inked = np.flatnonzero(taken[0].any(axis=(0, 2))), np.flatnonzero(taken[0].any(axis=(1, 2)))
    (left, right), (top, bottom) = ((int(places[0]), int(places[-1]) + 1) for places in inked)
    expected = compose(numbered_result(1), Status("camera:0"), (right - left, bottom - top))
    assert (bottom - top) > 0.6 * SCREEN[1]
    np.testing.assert_array_equal(taken[0][top : bottom - BAR, left:right], expected[:-BAR])

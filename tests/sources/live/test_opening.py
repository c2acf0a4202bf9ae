import pytest

from facemood.errors import SourceError
from facemood.sources.live import check_live, is_live, open_live


@pytest.mark.parametrize(
    "name",
    [
        "camera", "camera:0", "camera:/dev/video2", "screen", "screen:1", "screen:0,0,640,480", "rtsp://host/1",
        "RTSP://host/1", "http://host/video.mp4", "https://host/live.m3u8", "udp://239.0.0.1:1234",
    ],
)  # fmt: skip
def test_live_sources_are_recognized_by_name(name: str) -> None:
    assert is_live(name)
    assert check_live(name) == name


@pytest.mark.parametrize("name", ["", "clip.mp4", "camera.jpg", "screens:1", "photos/camera:0", "ftp://host/1", "://"])
def test_other_names_are_not_live(name: str) -> None:
    assert not is_live(name)
    with pytest.raises(SourceError, match="is no live source; expected camera:0"):
        open_live(name)


def test_a_camera_has_a_number_or_a_path() -> None:
    with pytest.raises(SourceError, match="camera:front: expected a camera's number"):
        open_live("camera:front")

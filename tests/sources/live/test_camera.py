import os
import sys
from pathlib import Path

import pytest

from facemood.errors import SourceError
from facemood.sources.live.camera import explain, list_cameras, open_camera

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="only Linux lists cameras in /dev")


@pytest.fixture
def devices(tmp_path: Path) -> Path:
    """A folder like /dev with two cameras."""
    for name in ("video10", "video2", "video-old", "null"):
        (tmp_path / name).write_bytes(b"")
    return tmp_path


def test_cameras_are_listed_by_their_numbers(devices: Path) -> None:
    assert list_cameras(devices) == ["camera:2", "camera:10"]
    assert list_cameras(devices / "nowhere") == []


def test_a_missing_camera_is_an_error_that_lists_the_others(devices: Path) -> None:
    assert "no such camera" in explain(3, devices)
    assert "available: camera:2, camera:10" in explain(3, devices)
    assert "no camera is available; plug one in" in explain(0, devices / "nowhere")


def test_a_camera_without_frames_is_busy_or_no_camera(devices: Path) -> None:
    message = explain(2, devices)
    assert "close the program that uses it" in message
    assert "try camera:10" in message
    assert explain(str(devices / "video10"), devices).startswith(f"camera:{devices}/video10: ")


@pytest.mark.skipif(os.geteuid() == 0, reason="nothing is forbidden to the root user")
def test_a_missing_permission_names_the_group(devices: Path) -> None:
    (devices / "video2").chmod(0)
    assert "usermod -aG video" in explain(2, devices)


def test_a_missing_camera_is_an_error_and_opencv_stays_silent(capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SourceError, match=r"camera:97: there is no such camera \(/dev/video97\)"):
        open_camera(97)
    assert capfd.readouterr() == ("", "")


def test_a_device_that_is_no_camera_is_refused(devices: Path, capfd: pytest.CaptureFixture[str]) -> None:
    with pytest.raises(SourceError, match="gives no frame"):
        open_camera(str(devices / "null"))
    assert capfd.readouterr() == ("", "")

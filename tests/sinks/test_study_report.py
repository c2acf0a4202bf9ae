"""The report of a study: contents, overview, curves side by side, failures, baselines, and a player that seeks."""

from __future__ import annotations

import base64
import dataclasses
import re
import shutil
import subprocess
import tracemalloc
from collections.abc import Iterator
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest

from facemood import Result
from facemood.labels import EXPRESSIONS
from facemood.participants import Segment
from facemood.results import Failure
from facemood.sinks import Looks
from facemood.sinks.report import ReportSink
from facemood.sinks.report.chart_parts import HEIGHT, WIDTH
from facemood.sinks.report.player import address_of_video
from facemood.sinks.report.study_report import NOTABLE
from tests.conftest import make_face
from tests.server.browser import Browser, open_browser
from tests.sinks.test_report import GREY, INFO, PHOTOS, Page, video_of
from tests.videos import make_video, numbered_images

RATE = 5
"""Frames a second of the made videos."""

STUDY: dict[str, Any] = {**INFO, "design": [], "baseline": None, "variants": ["raw", "change"]}

PLAN = tuple(
    Segment("", who, condition=condition, start=start, end=start + 10.0, baseline=(0.0, 4.0), line=line)
    for line, (who, condition, start) in enumerate(
        [("p01", "calm", 0.0), ("p01", "funny", 10.0), ("p02", "calm", 0.0), ("p02", "funny", 10.0)], 2
    )
)


def probabilities_at(time: float, funny: bool, who: int) -> np.ndarray:
    """What a made participant shows: mostly neutral while calm, a smile that comes and goes while funny."""
    smile = abs(np.sin(time / 2 + who)) * 0.85 if funny else 0.1 + 0.05 * who
    row = np.full(8, 0.01)
    row[EXPRESSIONS.index("happy")] = smile
    row[EXPRESSIONS.index("surprise")] = 0.08 if funny else 0.01
    row[EXPRESSIONS.index("neutral")] = max(1 - row.sum() + 0.01, 0.01)
    return np.asarray(row / row.sum(), np.float32)


def study_results(folder: Path, *, image: bool = True) -> Iterator[Result]:
    """Two participants in two conditions: real files of 20 s, and made results for them."""
    for who, plan in enumerate((PLAN[:2], PLAN[2:])):
        source = str(folder / "videos" / f"p0{who + 1}.mp4")
        if not Path(source).exists():
            Path(source).parent.mkdir(exist_ok=True, parents=True)
            make_video(Path(source), numbered_images(20 * RATE, (240, 180)), fps=RATE)
        for index in range(20 * RATE):
            time = index / RATE
            segment = plan[time >= 10]
            face = make_face((20, 10, 80, 70), probabilities_at(time, time >= 10, who))
            change = None if who else np.zeros(8, np.float32)  # the second one was not seen at baseline
            faces = (dataclasses.replace(face, track_id=1, segment=segment, change=change),)
            absent = who == 1 and 3 <= time < 5
            yield Result(
                source, index, time, (120, 90), () if absent else faces, EXPRESSIONS, ("raw", "change"),
                image=GREY if image else None, design=(), segments=(segment,),
            )  # fmt: skip


def write_study(folder: Path, *, anonymize: str = "", info: dict[str, Any] = STUDY) -> Path:
    sink = ReportSink(folder / "report.html", info, Looks(anonymize=anonymize))
    for result in study_results(folder):
        sink.write(result)
    sink.fail(Failure("videos/p03.mp4", "videos/p03.mp4: this is no video <or photo>"))
    sink.close()
    return folder / "report.html"


@pytest.fixture(scope="module")
def study(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return write_study(tmp_path_factory.mktemp("study"))


@pytest.fixture(scope="module")
def page(study: Path) -> Page:
    return Page(study.read_text(encoding="utf-8"))


def test_it_says_who_and_what_was_studied(page: Page) -> None:
    assert page.headings[0] == "h1 Study of 2 participants"
    assert "2 conditions and 4 segments; 0:40.0 of video in 200 frames with 2 tracks." in page.text


def test_the_contents_lead_to_every_section(page: Page) -> None:
    ids = {attributes["id"] for _, attributes in page.elements if "id" in attributes}
    links = [link["href"].removeprefix("#") for link in page.all("a") if link["href"].startswith("#")]
    assert set(links) <= ids
    wanted = ["failed", "overview", "curves", "video-1", "video-2", "method"]
    assert [link for link in links if link in wanted][: len(wanted)] == wanted
    assert "Not read: 1 input Overview Participants and conditions p01.mp4 p02.mp4 How it was made" in page.text


def test_inputs_that_failed_are_named(page: Page) -> None:
    assert "videos/p03.mp4 videos/p03.mp4: this is no video <or photo>" in page.text


def test_the_overview_has_a_line_for_each_segment(page: Page) -> None:
    text = page.text
    assert "portrait who condition source seconds in sight missing certain neutral baseline mostly" in text
    assert "p01 calm p01.mp4 10.0 0% 0:00-0:04 neutral (100%, 21-100%)" in text
    assert "p02 calm p02.mp4 8.0 20% not seen neutral" in text
    assert re.search(r"p01 funny p01\.mp4 10\.0 0% 0:00-0:04 happy \(\d\d%, \d+-\d+%\)", text)
    portraits = [one["alt"] for one in page.all("img") if one["width"] == "48"]
    assert portraits == ["p01, neutral", "p01, happy", "p02, neutral", "p02, happy"]


def test_the_curves_of_all_participants_have_the_same_axes(page: Page) -> None:
    lines = re.findall(r'aria-label="(p0\d, \w+: \w+) over time, ', page.source)
    labels = ("happy", "surprise", "neutral")  # the others are below NOTABLE everywhere
    assert NOTABLE > 0.01
    pairs = [(who, condition) for who in ("p01", "p02") for condition in ("calm", "funny")]
    assert lines == [f"{who}, {condition}: {label}" for who, condition in pairs for label in labels]
    assert page.headings.count("h3 p01") == 1
    html = re.findall(r'<div class="lines">.*?<div class="axis"[^>]*>(.*?)</div>', page.source)
    assert len(html) == 4
    assert len(set(html)) == 1


def test_a_shorter_segment_takes_its_share_of_the_axis(tmp_path: Path) -> None:
    short, long = (dataclasses.replace(PLAN[at], end=end) for at, end in ((0, 5.0), (1, 20.0)))
    sink = ReportSink(tmp_path / "r.html", STUDY)
    for result in study_results(tmp_path, image=False):
        own = short if (result.timestamp or 0) < 5 else long if (result.timestamp or 0) >= 10 else None
        if result.source.endswith("p01.mp4"):
            faces = tuple(dataclasses.replace(face, segment=own) for face in result.faces)
            sink.write(dataclasses.replace(result, faces=faces, segments=(own,) if own else ()))
    sink.close()
    found = Page((tmp_path / "r.html").read_text())
    paths = [one["d"] for one in found.all("path") if one.get("class") == f"c{EXPRESSIONS.index('neutral')}"]
    first, second = (max(int(x) for x in re.findall(r"H(\d+)", path)) for path in paths[:2])
    assert (first, second) == (WIDTH // 2, WIDTH)


def test_derived_measures_have_curves_too(tmp_path: Path) -> None:
    sink = ReportSink(tmp_path / "r.html", {**STUDY, "measures": [["valence", ""], ["beam", "AU12 / 2"]]})
    for result in study_results(tmp_path, image=False):
        faces = tuple(dataclasses.replace(face, measures={"valence": -0.5, "beam": 0.25}) for face in result.faces)
        sink.write(dataclasses.replace(result, faces=faces))
    sink.close()
    found = Page((tmp_path / "r.html").read_text())
    assert "p02, funny: valence over time, -0.50 on average" in [one["aria-label"] for one in found.all("svg")]
    paths = [one["d"] for one in found.all("path") if one.get("class") == "derived"]
    assert len(paths) == 2 * 4
    assert paths[0].startswith(f"M0 {HEIGHT // 2}V{HEIGHT * 3 // 4}H")  # down by half of its half
    assert paths[1].startswith(f"M0 {HEIGHT}V{HEIGHT * 3 // 4}H")


def test_the_baseline_and_the_segments_are_drawn(page: Page) -> None:
    html = page.source
    assert html.count('<span class="base" style="left:0.00%;width:20.00%">') == 2  # 4 of 20 s, for each person
    assert html.count('<div class="periods baseline"><span style="left:0.00%;width:20.00%"') == 2
    assert html.count('title="funny, 0:10.0 to 0:20.0">funny</span>') == 2
    marked = re.findall(r'<path class="base" d="M0 0H(\d+)V', html)
    assert marked == [str(int(WIDTH * 0.4))] * 6  # 4 of 10 s, in the three lines of the calm segments


def test_the_baseline_of_all_is_drawn_without_a_plan(tmp_path: Path) -> None:
    sink = ReportSink(tmp_path / "r.html", {**INFO, "baseline": [0, 2.5]})
    for result in video_of(["happy"] * 10):
        sink.write(result)
    sink.close()
    assert '<span class="base" style="left:0.00%;width:50.00%">' in (tmp_path / "r.html").read_text()


def test_people_have_the_numbers_of_the_drawn_video(page: Page, tmp_path: Path) -> None:
    from facemood.render.draw import numbers_of

    results = list(study_results(tmp_path))
    (drawn,) = {name for result in results[:100] for name in numbers_of(result.faces)}
    assert f"h3 Person {drawn}" in page.headings
    assert drawn == "1 (p01)"


def test_the_videos_are_linked_and_not_embedded(study: Path, page: Page) -> None:
    assert [one["src"] for one in page.all("video")] == ["videos/p01.mp4", "videos/p02.mp4"]
    assert [one["preload"] for one in page.all("video")] == ["metadata"] * 2
    assert "media-src 'self' file:" in page.all("meta")[2]["content"]
    assert study.stat().st_size < 400_000


@pytest.mark.parametrize(
    ("source", "wanted"),
    [
        ("made/100% sure? #1.mp4", "../made/100%25%20sure%3F%20%231.mp4"),
        ("made/caf\udce9.mp4", "../made/caf%E9.mp4"),
        ("made/photo.png", ""),
        ("made/none.mp4", ""),
        ("camera:0", ""),
    ],
)
def test_the_address_of_a_video_is_relative_to_the_report(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, source: str, wanted: str
) -> None:
    monkeypatch.chdir(tmp_path)
    Path("made").mkdir()
    Path("out").mkdir()
    if "none" not in source and ":" not in source:
        Path(source).write_bytes(b"")
    assert address_of_video(source, Path("out/report.html")) == wanted
    assert address_of_video(source, Path("-")) == ""


def test_an_anonymized_study_shows_no_face(tmp_path: Path) -> None:
    hidden = Page(write_study(tmp_path, anonymize="box").read_text())
    assert hidden.all("img") == hidden.all("video") == []
    assert "no portraits and no players" in hidden.text
    assert "who condition source seconds in sight" in hidden.text


def test_several_videos_without_a_plan_have_an_overview_of_people(tmp_path: Path) -> None:
    sink = ReportSink(tmp_path / "r.html", INFO)
    for result in [*video_of(["happy"] * 4), *video_of(["sad"] * 4, source="b.mp4"), *PHOTOS]:
        sink.write(result)
    sink.close()
    found = Page((tmp_path / "r.html").read_text())
    assert "portrait who source seconds in sight missing certain mostly" in found.text
    assert "Person 1 talk.mp4 2.0 0% happy (100%, 21-100%)" in found.text
    assert "Participants and conditions" not in found.text


def test_a_participant_who_was_not_in_sight_has_a_line(tmp_path: Path) -> None:
    sink = ReportSink(tmp_path / "r.html", STUDY)
    for result in study_results(tmp_path, image=False):
        away = result.source.endswith("p02.mp4")
        sink.write(dataclasses.replace(result, faces=()) if away else result)
    sink.close()
    text = Page((tmp_path / "r.html").read_text()).text
    assert "p02 calm p02.mp4 0.0 100% not seen not in sight" in text


def study_photos(who: str) -> Iterator[Result]:
    """Photos of a participant."""
    segment = Segment("", who, condition="calm", line=9)
    for photo in PHOTOS:
        faces = tuple(dataclasses.replace(face, track_id=None, segment=segment) for face in photo.faces)
        yield dataclasses.replace(photo, faces=faces, design=(), segments=(segment,))


def lines_of(source: str) -> list[list[str]]:
    """The cells of the overview, as HTML."""
    body = re.findall(r"<tbody>(.*?)</tbody>", source[source.index('id="overview"') :])[0]
    return [re.findall(r"<t[dh][^>]*>(.*?)</t[dh]>", line) for line in re.findall(r"<tr>(.*?)</tr>", body)]


def test_a_study_of_photos_has_an_overview_and_no_curves(tmp_path: Path) -> None:
    sink = ReportSink(tmp_path / "r.html", STUDY)
    for photo in study_photos("p01"):
        sink.write(photo)
    sink.close()
    found = Page((tmp_path / "r.html").read_text())
    assert "p01, happy" in [one["alt"] for one in found.all("img")]
    assert 'class="multiples"' not in found.source
    assert {link["href"].removeprefix("#") for link in found.all("a")} <= {
        attributes["id"] for _, attributes in found.elements if "id" in attributes
    }


def test_a_participant_of_photos_has_no_seconds_and_no_link_beside_one_of_a_video(tmp_path: Path) -> None:
    sink = ReportSink(tmp_path / "r.html", STUDY)
    for result in [*list(study_results(tmp_path, image=False))[:50], *study_photos("p09")]:
        sink.write(dataclasses.replace(result, image=None))
    sink.close()
    found = Page((tmp_path / "r.html").read_text())
    filmed, photographed = lines_of(found.source)
    assert [re.sub(r"<.*?>", "", cell) for cell in filmed[:3]] == ["p01", "p01.mp4", "10.0"]
    assert filmed[0] == '<a href="#participant-1">p01</a>'
    assert photographed[:3] == ["p09", "several photos", ""]
    assert "#participant-2" not in found.source


def test_each_video_of_a_pattern_has_its_own_portrait(tmp_path: Path) -> None:
    pattern = Segment("p01*", "p01", condition="calm", line=2)
    sink = ReportSink(tmp_path / "r.html", STUDY)
    shades = {"p01_a.mp4": 20, "p01_b.mp4": 230}
    for source, shade in shades.items():
        for result in list(study_results(tmp_path))[:10]:
            faces = tuple(dataclasses.replace(face, segment=pattern) for face in result.faces)
            image = np.full((90, 120, 3), shade, np.uint8)
            sink.write(dataclasses.replace(result, source=source, image=image, faces=faces, segments=(pattern,)))
    for photo in study_photos("p01"):
        faces = tuple(dataclasses.replace(face, segment=pattern) for face in photo.faces)
        image = np.full((90, 120, 3), 128, np.uint8)
        sink.write(dataclasses.replace(photo, image=image, faces=faces, segments=(pattern,)))
    sink.close()
    pictures = [one["src"] for one in Page((tmp_path / "r.html").read_text()).all("img") if one["width"] == "48"]
    coded = [np.frombuffer(base64.b64decode(one.partition(",")[2]), np.uint8) for one in pictures]
    shown = [int(np.mean(np.asarray(cv2.imdecode(one, cv2.IMREAD_GRAYSCALE)))) for one in coded]
    assert shown == [*shades.values(), 128]


def test_a_name_that_is_no_html_stays_text(tmp_path: Path) -> None:
    evil = dataclasses.replace(PLAN[0], participant="<b>p</b>", condition='"><script>x</script>')
    sink = ReportSink(tmp_path / "r.html", STUDY)
    for result in study_results(tmp_path):
        faces = tuple(dataclasses.replace(face, segment=evil) for face in result.faces)
        sink.write(dataclasses.replace(result, faces=faces, segments=(evil,)))
    sink.close()
    found = Page((tmp_path / "r.html").read_text())
    assert "<b>p</b>" in found.text
    assert not any(script == "x" for script in found.scripts)


@pytest.fixture(scope="module")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    with open_browser(tmp_path_factory.mktemp("browser")) as found:
        yield found


@pytest.mark.browser
@pytest.mark.parametrize(("width", "dark"), [(375, False), (1280, True)])
def test_a_click_into_a_chart_seeks_the_video(browser: Browser, study: Path, width: int, dark: bool) -> None:
    with browser.page() as shown:
        shown.resize(width, 800, dark=dark)
        shown.send("Page.navigate", url=study.as_uri())
        shown.wait("document.documentElement.classList.contains('live')")
        shown.wait("document.querySelector('video').readyState >= 1")
        assert shown.run("document.querySelector('video').duration") == pytest.approx(20, abs=0.3)
        for selector, share in ((".overview .strip", 0.75), (".areas .ground", 0.25)):
            shown.run(
                f"""(() => {{
                  const place = document.querySelector({selector!r});
                  place.scrollIntoView({{ block: "center" }});
                  const {{ left, top, width, height }} = place.getBoundingClientRect();
                  const at = {{ clientX: left + {share} * width, clientY: top + height / 2, bubbles: true }};
                  place.dispatchEvent(new MouseEvent("click", at));
                }})()"""
            )
            shown.wait(f"Math.abs(document.querySelector('video').currentTime - {20 * share}) < 0.2")
            head = shown.run("document.querySelector('.overview .playhead').style.left")
            assert float(head.removesuffix("%")) == pytest.approx(100 * share, abs=1.5)
        assert shown.run("document.documentElement.scrollWidth") <= width
        assert shown.run("document.querySelectorAll('.of-video')[1].querySelector('video').currentTime") == 0
        assert shown.troubles() == []


@pytest.mark.browser
def test_the_keyboard_seeks_too_and_a_missing_video_is_told(browser: Browser, tmp_path: Path) -> None:
    report = write_study(tmp_path)
    (tmp_path / "videos" / "p02.mp4").unlink()
    with browser.page() as shown:
        shown.send("Page.navigate", url=report.as_uri())
        shown.wait("document.querySelector('video')?.readyState >= 1")
        shown.run("document.querySelector('.areas .ground').focus()")
        for key in ("ArrowRight", "ArrowRight", "ArrowRight", "Enter"):
            shown.run(
                f"document.activeElement.dispatchEvent(new KeyboardEvent('keydown', {{ key: {key!r}, bubbles: true }}))"
            )
        shown.wait("Math.abs(document.querySelector('video').currentTime - 0.4) < 0.05")
        shown.wait("!document.querySelectorAll('.trouble')[1].hidden")
        assert shown.run("document.querySelector('.trouble').hidden") is True


@pytest.mark.browser
def test_a_link_of_the_contents_opens_a_folded_video(browser: Browser, tmp_path: Path) -> None:
    sink = ReportSink(tmp_path / "r.html", INFO)
    for number in range(5):
        for result in video_of(["happy"] * 3, source=f"{number}.mp4"):
            sink.write(result)
    sink.close()
    with browser.page() as shown:
        shown.send("Page.navigate", url=(tmp_path / "r.html").as_uri())
        shown.wait("document.documentElement.classList.contains('live')")
        folded = "document.getElementById('video-5').closest('details').open"
        assert shown.run(folded) is False
        shown.run("document.querySelector('.contents a[href=\"#video-5\"]').click()")
        shown.wait(folded)
        assert shown.troubles() == []


@pytest.mark.browser
def test_it_prints_on_a4(study: Path, tmp_path: Path) -> None:
    name = next(filter(None, map(shutil.which, ("chromium", "chromium-browser", "google-chrome"))), None)
    if name is None:
        pytest.skip("needs Chromium, which is not installed")
    printed = tmp_path / "report.pdf"
    options = ["--headless=new", "--no-sandbox", "--disable-gpu", f"--user-data-dir={tmp_path / 'profile'}"]
    command = [name, *options, "--no-pdf-header-footer", f"--print-to-pdf={printed}", study.as_uri()]
    subprocess.run(command, check=True, capture_output=True, timeout=120)
    boxes = re.findall(rb"/MediaBox \[0 0 ([\d.]+) ([\d.]+)\]", printed.read_bytes())
    assert len(boxes) >= 2
    for width, height in boxes:
        assert (float(width), float(height)) == pytest.approx((595, 842), abs=1.5)  # points


def test_no_frame_is_kept(tmp_path: Path) -> None:
    sink = ReportSink(tmp_path / "r.html", STUDY)
    results = list(study_results(tmp_path))[:50]  # one participant who is calm
    sizes = []
    tracemalloc.start()
    for turn in range(9):
        for result in results:
            image = np.full((90, 120, 3), 100 + turn, np.uint8)  # 32 kB
            time = (result.timestamp or 0) + 10 * turn
            sink.write(dataclasses.replace(result, timestamp=time, image=image))
        sizes.append(tracemalloc.get_traced_memory()[0])
    tracemalloc.stop()
    assert (sizes[-1] - sizes[0]) / (8 * len(results)) < 1000  # bytes for each frame with a face
    sink.close()
    assert (tmp_path / "r.html").stat().st_size < 200_000

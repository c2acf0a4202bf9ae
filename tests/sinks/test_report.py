import base64
import dataclasses
import itertools
import json
import re
from html.parser import HTMLParser
from pathlib import Path
from typing import Any

import cv2
import numpy as np
import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from facemood import EmotionRecognizer, Face, OutputError, Result
from facemood.facs import KEYS
from facemood.labels import EXPRESSIONS
from facemood.render.plots import stacking_order
from facemood.schema import Image
from facemood.sinks import Looks, open_sink
from facemood.sinks.report import ReportSink
from facemood.sinks.report.chart_parts import HEIGHT, WIDTH
from facemood.sinks.report.charts import area_chart, face_count_chart
from facemood.sinks.report.html_parts import MAX_LINES, mostly
from facemood.sinks.report.photo_report import MAX_FACES
from facemood.sinks.report.portraits import MARGIN, SIDE, BestPortraits, cut_portrait
from facemood.sinks.report.video_report import MAX_PEOPLE
from facemood.timeline import MAX_POINTS, Timeline, Track, TrackCollector
from tests.conftest import make_face
from tests.growing import growing

INFO: dict[str, Any] = {
    "facemood": "1.2.3", "model": "baseline", "head": "ferplus", "labels": list(EXPRESSIONS), "threshold": None,
}  # fmt: skip
GREY = np.full((90, 120, 3), 128, np.uint8)
VOID = {"meta", "img", "br"}


class Page(HTMLParser):
    """A strict HTML parser: every element must be closed in order."""

    def __init__(self, text: str) -> None:
        super().__init__()
        self.source = text
        self.open: list[str] = []
        self.elements: list[tuple[str, dict[str, str]]] = []
        self.headings: list[str] = []
        self.words: list[str] = []
        self.scripts: list[str] = []
        self.feed(text)
        assert self.open == []

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))
        if tag not in VOID:
            self.open.append(tag)
        if re.fullmatch("h[1-6]", tag):
            self.headings.append(f"{tag} ")

    def handle_startendtag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.elements.append((tag, {name: value or "" for name, value in attrs}))

    def handle_endtag(self, tag: str) -> None:
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        if self.open and self.open[-1] in ("script", "style"):
            self.scripts.append(data)
            return
        self.words.append(data)
        if any(re.fullmatch("h[1-6]", tag) for tag in self.open):
            self.headings[-1] += data

    @property
    def text(self) -> str:
        """All visible text."""
        return " ".join(" ".join(self.words).split())

    def all(self, tag: str) -> list[dict[str, str]]:
        """The attributes of all elements of a kind."""
        return [attributes for name, attributes in self.elements if name == tag]

    def series(self) -> list[dict[str, Any]]:
        """The data of the charts."""
        return [json.loads(script) for script in self.scripts if script.startswith("{")]


def page_of(path: Path, results: list[Result], info: dict[str, Any] = INFO, *, anonymize: str = "") -> Page:
    """The report on some results."""
    sink = ReportSink(path, info, Looks(anonymize=anonymize))
    for result in results:
        sink.write(result)
    sink.close()
    return Page(path.read_text(encoding="utf-8"))


def face_of(label: str, *, confidence: float = 0.86, number: int | None = 1) -> Face:
    """A face with a label and a track ID."""
    read = np.full(8, (1 - confidence) / 7, np.float32)
    read[EXPRESSIONS.index(label)] = confidence
    return dataclasses.replace(make_face((20, 10, 80, 70), read), track_id=number)


def video_of(
    labels: list[str | None], *, source: str = "clips/talk.mp4", step: float = 0.5, number: int = 1, image: bool = True
) -> list[Result]:
    """A video of one person, with a label for each frame; None for a frame without the person."""
    return [
        Result(
            source, index, index * step, (120, 90), () if label is None else (face_of(label, number=number),),
            EXPRESSIONS, image=GREY if image else None,
        )
        for index, label in enumerate(labels)
    ]  # fmt: skip


TALK = video_of(["happy"] * 6 + [None] * 2 + ["neutral", "neutral", "sad"])
PHOTOS = [
    dataclasses.replace(result, source=f"photos/{name}.jpg", timestamp=None, index=0)
    for name, result in zip("abc", [TALK[0], TALK[7], TALK[9]], strict=True)
]


def test_the_section_of_a_video_has_its_numbers(tmp_path: Path) -> None:
    page = page_of(tmp_path / "r.html", TALK)
    assert page.headings == ["h1 talk.mp4", "h2 Number of faces", "h2 Person 1", "h2 How it was made"]
    assert (
        "0:05.5 of video in 11 frames with 1 person. Analyzed by facemood 1.2.3: model baseline, head ferplus."
        in page.text
    )
    assert (
        "In sight for 4.5 s between 0:00.0 and 0:05.5. Mostly happy (67%, 17-95%) and neutral (22%, 3-70%)."
        in page.text
    )
    assert (
        "source clips/talk.mp4 length 0:05.5 (5.5 s) frames analyzed 11, one every 0.5 s frames without a face 2"
        in page.text
    )
    assert (
        "happy 67% 17-95% 3.0 neutral 22% 3-70% 1.0 sad 11% 1-54% 0.5 Never: angry, disgust, fear, surprise, contempt."
        in page.text
    )
    assert "3 episodes start end seconds expression peak at 0:00.00 0:03.00 3.00 happy 86% 0:00.00" in page.text
    assert "0:05.00 0:05.50 0.50 sad 86% 0:05.00" in page.text


def test_the_page_states_its_limits(tmp_path: Path) -> None:
    assert "It predicts expressions, not feelings" in page_of(tmp_path / "r.html", TALK).text


def test_the_page_is_self_contained(tmp_path: Path) -> None:
    page = page_of(tmp_path / "r.html", [*TALK, *PHOTOS])
    named = [value for _, attributes in page.elements for name, value in attributes.items() if name in ("src", "href")]
    assert {value.partition(",")[0] for value in named if not value.startswith("#")} == {"data:image/jpeg;base64"}
    assert not re.search(r"https?:|@import|url\(|//cdn", (tmp_path / "r.html").read_text())
    assert {tag for tag, _ in page.elements} & {"link", "iframe", "object", "embed"} == set()
    assert "default-src 'none'" in page.all("meta")[2]["content"]


def test_the_page_is_reproducible(tmp_path: Path) -> None:
    for name in ("a", "b"):
        page_of(tmp_path / name, [*TALK, *PHOTOS])
    assert (tmp_path / "a").read_bytes() == (tmp_path / "b").read_bytes()


def test_the_page_is_accessible(tmp_path: Path) -> None:
    others = video_of(["happy", "sad"], number=2)
    both = [dataclasses.replace(one, faces=one.faces + other.faces) for one, other in zip(TALK, others, strict=False)]
    page = page_of(tmp_path / "r.html", [*both, *video_of(["sad"], source="b.mp4"), *PHOTOS])
    assert all(picture["alt"] for picture in page.all("img"))
    assert {cell["scope"] for cell in page.all("th")} == {"row", "col"}
    assert all(picture["role"] == "img" and picture["aria-label"] for picture in page.all("svg"))
    assert page.all("html") == [{"lang": "en"}]
    levels = [int(heading[1]) for heading in page.headings]
    assert levels[0] == 1
    assert all(after - before <= 1 for before, after in itertools.pairwise(levels))
    names = [attributes["id"] for _, attributes in page.elements if "id" in attributes]
    assert len(set(names)) == len(names)
    assert {link["href"].removeprefix("#") for link in page.all("a")} <= set(names)
    assert len([link for link in page.all("a") if "-person-" in link["href"]]) == 2


def test_several_videos_are_folded_after_the_first_few(tmp_path: Path) -> None:
    videos = [frame for number in range(5) for frame in video_of(["happy"], source=f"{number}.mp4")]
    page = page_of(tmp_path / "r.html", videos)
    assert page.headings[0] == "h1 5 videos"
    folds = [fold for fold in page.all("details") if fold.get("class") == "video"]
    assert ["open" in fold for fold in folds] == [True, True, True, False, False]
    assert [heading for heading in page.headings if heading.endswith("mp4")] == [f"h2 {n}.mp4" for n in range(5)]


def test_names_and_labels_are_escaped(tmp_path: Path) -> None:
    evil = "<script>alert(1)</script>"
    face = dataclasses.replace(
        make_face(), labels=(evil, "b&w"), probabilities=np.array([0.7, 0.3], np.float32), track_id=1
    )
    frame = Result(f"{evil}.mp4", 0, 0.0, (120, 90), (face,), (evil, "b&w"), image=GREY)
    info = {**INFO, "labels": [evil, "b&w"], "model": evil}
    page = page_of(tmp_path / "r.html", [frame, dataclasses.replace(frame, timestamp=None)], info)
    assert len(page.all("script")) == 1 + 2  # the page's own, and the numbers of two charts
    assert "alert(1)" in page.text
    assert page.series()[1]["names"] == [evil, "b&w"]


def test_portraits_show_the_faces_of_a_video(tmp_path: Path, astronaut: Path, recognizer: EmotionRecognizer) -> None:
    photo = recognizer.analyze_image(astronaut)
    face = dataclasses.replace(photo.faces[0], track_id=1)
    frames = [dataclasses.replace(photo, timestamp=float(n), source="a.mp4", faces=(face,)) for n in range(2)]
    (picture,) = page_of(tmp_path / "r.html", frames).all("img")
    assert picture["alt"] == "Person 1, happy"
    shown, (x1, y1, x2, y2) = decode(picture["src"]), face.box.astype(int)
    assert shown.shape == (SIDE, SIDE, 3)
    assert photo.image is not None
    scale = SIDE / (1 + 2 * MARGIN) / max(face.size)
    inner = cv2.resize(photo.image[y1:y2, x1:x2], None, fx=scale, fy=scale, interpolation=cv2.INTER_AREA)
    assert cv2.matchTemplate(shown, inner, cv2.TM_CCOEFF_NORMED).max() > 0.95


def decode(address: str) -> Image:
    """The image in a ``data:`` URL."""
    data = np.frombuffer(base64.b64decode(address.partition(",")[2]), np.uint8)
    picture = cv2.imdecode(data, cv2.IMREAD_COLOR)
    assert picture is not None
    return np.asarray(picture, np.uint8)


@pytest.mark.parametrize(("how", "wanted"), [("", True), ("blur", False), ("box", False)])
def test_images_are_requested_unless_faces_are_hidden(tmp_path: Path, how: str, wanted: bool) -> None:
    sink = open_sink(str(tmp_path / "r.html"), INFO, anonymize=how)
    assert isinstance(sink, ReportSink)
    assert sink.wants_images is wanted
    sink.close()


def test_an_unknown_anonymization_is_an_error_before_anything_is_written(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="no way to hide a face"):
        ReportSink(tmp_path / "r.html", INFO, Looks(anonymize="blurr"))
    assert list(tmp_path.iterdir()) == []


@pytest.mark.parametrize("how", ["blur", "box"])
def test_an_anonymized_report_has_no_portraits(tmp_path: Path, how: str) -> None:
    page = page_of(tmp_path / "r.html", [*TALK, *PHOTOS], anonymize=how)
    assert page.all("img") == []
    assert "This report has no portraits" in page.text


def test_a_video_without_images_has_no_portraits(tmp_path: Path) -> None:
    assert page_of(tmp_path / "r.html", video_of(["happy"], image=False)).all("img") == []


def test_each_frequent_expression_has_one_portrait(tmp_path: Path) -> None:
    labels: list[str | None] = [*["happy"] * 60, *["sad"] * 40, "fear"]
    assert [one["alt"] for one in page_of(tmp_path / "r.html", video_of(labels)).all("img")] == [
        "Person 1, happy",
        "Person 1, sad",
    ]


def test_the_best_portrait_is_the_most_confident_certain_one() -> None:
    best = BestPortraits()
    for place, confidence, certain in [
        ("a", 0.5, None),
        ("b", 0.9, False),
        ("c", 0.7, True),
        ("d", 0.95, False),
        ("e", 0.8, True),
    ]:
        best.add(GREY, dataclasses.replace(face_of("sad", confidence=confidence), certain=certain), place)
    assert {label: portrait.place for label, portrait in best.kept.items()} == {"sad": "e"}


def test_a_portrait_has_the_most_probable_label_as_shares_and_episodes() -> None:
    best = BestPortraits()
    best.add(GREY, dataclasses.replace(face_of("sad"), display_label="happy"), "a")
    assert list(best.kept) == ["sad"]
    assert best.kept["sad"].probability == pytest.approx(0.86, abs=1e-6)


@settings(max_examples=40, deadline=None)
@given(st.tuples(*[st.floats(-300, 300, width=32)] * 2), st.tuples(*[st.floats(0, 400, width=32)] * 2))
def test_portraits_are_square_for_any_box(corner: tuple[float, float], size: tuple[float, float]) -> None:
    x, y = corner
    face = make_face((x, y, x + size[0], y + size[1]))
    picture = cv2.imdecode(np.frombuffer(cut_portrait(GREY, face), np.uint8), cv2.IMREAD_COLOR)
    assert picture is not None
    np.testing.assert_allclose(picture, 128, atol=2)
    assert picture.shape == (SIDE, SIDE, 3)


def track_of(frames: list[Result]) -> tuple[Track, Timeline]:
    """The track of the first person in a video, and the timeline of the video."""
    collector = TrackCollector()
    for frame in frames:
        collector.add(frame)
    (timeline,) = collector.timelines()
    return timeline.tracks[0], timeline


def outline(path: str) -> list[tuple[float, float]]:
    """The corners of an SVG path with the commands that the charts use."""
    x = y = 0.0
    points = []
    for letter, text in re.findall(r"([MVHlvZ])([-\d ]*)", path):
        numbers = [float(number) for number in text.split()]
        if letter == "M":
            x, y = numbers
        elif letter in "Vv":
            y = numbers[0] + (y if letter == "v" else 0)
        elif letter == "H":
            x = numbers[0]
        elif letter == "l":
            x, y = x + numbers[0], y + numbers[1]
        points.append((x, y))
    return points


@settings(max_examples=25, deadline=None)
@given(st.integers(2, 60), st.integers(0, 2**32 - 1))
def test_areas_have_the_heights_of_the_probabilities(frames: int, seed: int) -> None:
    random = np.random.default_rng(seed)
    rows = random.dirichlet(np.full(8, 0.5), frames).astype(np.float32)
    times = np.cumsum(random.uniform(0.1, 1, frames)).round(3)
    faces = [dataclasses.replace(make_face(probabilities=row), track_id=1) for row in rows]
    track, _ = track_of(
        [Result("a.mp4", 0, time, faces=(face,), labels=EXPRESSIONS) for time, face in zip(times, faces, strict=True)]
    )
    span = (float(track.timestamps[0]), float(track.ends[-1]))
    drawn = Page(area_chart(track, span, title="Someone"))
    tops = tops_of(drawn, times, span)
    order = [EXPRESSIONS.index(label) for label in stacking_order(EXPRESSIONS)]
    expected = rows[:, order].cumsum(axis=1)
    for place, column in enumerate(order):
        if column in tops:
            np.testing.assert_allclose(tops[column], expected[:, place], atol=0.6 / HEIGHT)
        else:
            assert rows[:, column].max() <= 0.005


def tops_of(page: Page, times: NDArray[np.float64], span: tuple[float, float]) -> dict[int, NDArray[np.float64]]:
    """The upper edge of each label's area at some times, 0..1, by the label's index."""
    xs = np.rint(WIDTH * (times - span[0]) / (span[1] - span[0]))
    tops = {}
    for path in page.all("path"):
        if path["class"].startswith("c"):
            points = dict(outline(path["d"])[1:-3])
            tops[int(path["class"][1:])] = np.array([1 - points[x] / HEIGHT for x in xs])
    return tops


def test_areas_are_empty_without_a_face() -> None:
    track, timeline = track_of(TALK)
    chart = Page(area_chart(track, (0.0, 5.5), title="Someone"))
    paths = [path["d"] for path in chart.all("path") if path["class"] == "c3"]
    xs = [[round(x * 5.5 / WIDTH, 2) for x, _ in outline(part)] for part in paths[0].split("Z")[:-1]]
    assert [(min(part), max(part)) for part in xs] == [(0, 3), (4, 5.5)]
    assert (
        "Someone: probabilities of the expressions over time, stacked. Mostly happy"
        in chart.all("svg")[0]["aria-label"]
    )
    assert Page(face_count_chart(timeline, (0.0, 5.5))).series()[0]["counts"] == [1, 0, 1]


def test_the_script_has_the_numbers_of_the_frames(tmp_path: Path) -> None:
    heads, areas = page_of(tmp_path / "r.html", TALK).series()
    assert areas["span"] == [0, 5500]
    assert areas["times"] == [0, 500, 1000, 1500, 2000, 2500, 4000, 4500, 5000]
    assert areas["ends"][5:] == [3000, 4500, 5000, 5500]
    assert areas["rows"][EXPRESSIONS.index("happy")] == [86] * 6 + [2] * 3
    assert (heads["times"], heads["ends"]) == ([0, 3000, 4000], [3000, 4000, 5500])


def test_a_long_video_stays_a_small_page(tmp_path: Path) -> None:
    labels: list[str | None] = ["happy", "sad", "neutral", "sad"] * 1000
    page = page_of(tmp_path / "r.html", video_of(labels, step=1 / 25, image=False))
    _, areas = page.series()
    assert len(areas["times"]) == MAX_POINTS
    assert (tmp_path / "r.html").stat().st_size < 400_000
    assert "No expression lasts for 0.3 s or longer." in page.text


def test_many_face_counts_are_downsampled_to_their_maxima() -> None:
    faces = [(face_of("happy"),) * (index % 3) for index in range(9000)]
    frames = [Result("a.mp4", 0, index / 30, faces=some, labels=EXPRESSIONS) for index, some in enumerate(faces)]
    series = Page(face_count_chart(track_of(frames)[1], (0.0, 300.0))).series()[0]
    assert len(series["counts"]) == MAX_POINTS
    assert set(series["counts"]) == {2}
    assert (series["times"][0], series["ends"][-1]) == (0, 300_000)


def test_long_tables_are_folded_and_very_long_ones_cut(tmp_path: Path) -> None:
    labels: list[str | None] = ["happy", "sad"] * (MAX_LINES // 2 + 5)
    page = page_of(tmp_path / "r.html", video_of(labels, image=False))
    assert "1,010 episodes" in page.text
    assert "Only the first 1,000 are listed." in page.text
    assert all("open" not in fold for fold in page.all("details"))
    assert page.text.count("86%") == MAX_LINES


def test_many_people_have_a_line_each(tmp_path: Path) -> None:
    frames = []
    for index in range(30):
        faces = tuple(face_of("sad", number=number) for number in range(1, 16) if index < 40 - 2 * number)
        frames.append(Result("crowd.mp4", index, index / 2, (120, 90), faces, EXPRESSIONS))
    page = page_of(tmp_path / "r.html", frames)
    people = [heading for heading in page.headings if "Person" in heading]
    assert people == [f"h2 Person {number}" for number in range(1, MAX_PEOPLE + 1)]
    assert "3 people with less time in sight" in page.text
    assert "Person 15 0:00.0 0:05.0 5.0 sad (100%, 21-100%)" in page.text


def test_a_person_who_is_present_briefly_has_a_separate_time_axis(tmp_path: Path) -> None:
    labels: list[str | None] = [None] * 40 + ["sad"] * 4 + [None] * 40
    page = page_of(tmp_path / "r.html", video_of(labels))
    assert "between 0:20.0 and 0:22.0. Mostly sad (100%, 21-100%). The chart shows only this period." in page.text
    assert [series["span"] for series in page.series()] == [[0, 42_000], [20_000, 22_000]]


def test_untracked_faces_are_counted(tmp_path: Path) -> None:
    frames = [dataclasses.replace(frame, faces=(face_of("happy", number=None),)) for frame in TALK[:4]]
    page = page_of(tmp_path / "r.html", frames)
    assert "4 faces of 4 could not be assigned to a tracked person" in page.text
    assert page.all("img") == []


def test_photos_are_counted_and_shown_by_expression(tmp_path: Path) -> None:
    page = page_of(tmp_path / "r.html", PHOTOS)
    assert page.headings == ["h1 3 photos", "h2 happy 1 face", "h2 neutral 1 face", "h2 How it was made"]
    assert "photos 3 faces 2 photos without a face 1 Share of the faces" in page.text
    assert "happy 50% 9-91% 1 neutral 50% 9-91% 1" in page.text
    assert "photos/b.jpg 0 no face found" in page.text
    assert [picture["alt"] for picture in page.all("img")] == ["A face, happy", "A face, neutral"]
    assert page.series() == []


def test_faces_of_a_photo_have_the_numbers_of_the_table(tmp_path: Path) -> None:
    faces = (face_of("sad", number=None), face_of("happy", number=None))
    page = page_of(tmp_path / "r.html", [Result("both.jpg", faces=faces, labels=EXPRESSIONS, image=GREY)])
    assert "both.jpg 2 0 sad 86%, 1 happy 86%" in page.text
    assert "happy 86% both.jpg, face 1" in page.text


def test_the_most_confident_faces_of_many_photos_are_shown(tmp_path: Path) -> None:
    confidences = np.random.default_rng(1).permutation(np.linspace(0.3, 0.98, 30))
    photos = [
        Result(
            f"{confidence:.3f}.jpg",
            faces=(face_of("fear", confidence=confidence, number=None),),
            labels=EXPRESSIONS,
            image=GREY,
        )
        for confidence in confidences
    ]
    page = page_of(tmp_path / "r.html", photos)
    assert f"30 faces; the {MAX_FACES} most confident are shown" in page.text
    names = re.findall(r"<span>([\d.]+)\.jpg</span>", (tmp_path / "r.html").read_text())
    assert names == [f"{confidence:.3f}" for confidence in sorted(confidences, reverse=True)[:MAX_FACES]]


def test_a_prediction_that_is_not_certain_is_marked(tmp_path: Path) -> None:
    face = dataclasses.replace(face_of("sad"), certain=False)
    page = page_of(tmp_path / "r.html", [dataclasses.replace(PHOTOS[0], faces=(face,))])
    assert {"title": "the model is not certain"} in page.all("abbr")
    assert "sad? 86%" in page.text


def test_videos_and_photos_share_one_page(tmp_path: Path) -> None:
    page = page_of(tmp_path / "r.html", [*TALK, *PHOTOS])
    assert page.headings[0] == "h1 1 video and 3 photos"
    assert "h2 talk.mp4" in page.headings
    assert "h2 Photos" in page.headings
    assert "h3 happy 1 face" in page.headings


def test_frames_with_equal_timestamps_are_accepted(tmp_path: Path) -> None:
    frames = [dataclasses.replace(frame, timestamp=3.0) for frame in TALK[:3]]
    assert "happy 100%" in page_of(tmp_path / "r.html", frames).text


def test_a_video_that_is_read_twice_has_two_sections(tmp_path: Path) -> None:
    page = page_of(tmp_path / "r.html", [*TALK, *video_of(["sad"] * 3)])
    assert page.headings.count("h2 talk.mp4") == 2
    assert [one["alt"] for one in page.all("img")][-1] == "Person 1, sad"


def test_a_report_without_results_is_a_page(tmp_path: Path) -> None:
    page = page_of(tmp_path / "r.html", [])
    assert page.headings[0] == "h1 0 photos"
    assert "There are no results." in page.text


def test_a_video_without_a_face_has_a_section(tmp_path: Path) -> None:
    page = page_of(tmp_path / "r.html", video_of([None] * 3))
    assert page.headings == ["h1 talk.mp4", "h2 Number of faces", "h2 How it was made"]
    assert "frames without a face 3 most faces in a frame 0 people tracked 0" in page.text


def test_settings_that_are_set_are_listed(tmp_path: Path) -> None:
    text = page_of(tmp_path / "r.html", TALK).text
    assert "Settings facemood 1.2.3 model baseline head ferplus labels angry, disgust" in text
    assert "threshold" not in text


def test_the_page_is_renamed_into_place_when_it_is_closed(tmp_path: Path) -> None:
    sink = ReportSink(tmp_path / "r.html", INFO)
    sink.write(TALK[0])
    assert growing(tmp_path) == ["r.html"]
    sink.close()
    sink.close()
    assert [path.name for path in tmp_path.iterdir()] == ["r.html"]


def test_an_unwritable_path_is_an_error_at_once(tmp_path: Path) -> None:
    with pytest.raises(OutputError, match="it is a folder"):
        ReportSink(tmp_path, INFO)


def test_mostly_lists_the_two_largest_shares() -> None:
    times, labels = np.arange(10.0), ("happy", "sad", "fear")

    def person(best: list[int]) -> Track:
        rows = np.eye(3, dtype=np.float32)[best]
        return Track("a.mp4", 1, labels, times, times + 1, rows, rows.argmax(1), np.zeros((10, 4), np.float32))

    assert mostly(person([1] * 5 + [0] * 3 + [2] * 2)) == "sad (50%, 9-91%) and happy (30%, 5-77%)"
    assert mostly(person([0] * 10)) == "happy (100%, 21-100%)"


def smiling_video(*, step: float = 1 / 30, frames: int = 120) -> list[Result]:
    """A person who blinks once, smiles from second 1 to 3, and turns away at the end."""
    video = []
    for index in range(frames):
        smile = 0.9 if 30 <= index < 90 else 0.08
        units = {key: smile if key.startswith("AU12") else 0.05 for key in KEYS}
        shut = 20 <= index < 24
        known: dict[str, Any] = {"action_units": units, "openness": (0.3, 0.3) if shut else (0.7, 0.7)}
        face = dataclasses.replace(face_of("happy"), **(known if index < 100 else {}))
        video.append(Result("smile.mp4", index, index * step, (120, 90), (face,), EXPRESSIONS))
    return video


def test_each_person_has_action_units_and_blinks(tmp_path: Path) -> None:
    page = page_of(tmp_path / "r.html", smiling_video())
    assert "h3 Action units" in page.headings
    assert "1 blink in 3.3 s with visible eyes: 18 per minute." in page.text
    assert "1 event of action units" in page.text
    assert "0:01.00 0:01.00 0:03.00 2.00 AU12 lip corner puller 0.90 +0.00" in page.text
    (line, ticks) = [path["d"] for path in page.all("path")[-2:]]
    assert outline(line.split("Z")[-2])[0] == (375, HEIGHT)  # 1 s of 4
    assert min(y for _, y in outline(line)) == round(HEIGHT * 0.1)
    assert re.fullmatch(rf"M(\d+) 0V{HEIGHT}", ticks)
    assert [one["aria-label"] for one in page.all("svg")[-2:]] == [
        "AU12 lip corner puller over time",
        "blinks over time",
    ]


def test_blinks_between_frames_are_not_counted(tmp_path: Path) -> None:
    page = page_of(tmp_path / "r.html", smiling_video(step=0.2))
    assert "Blinks were not counted" in page.text


def test_without_action_units_the_section_is_left_out(tmp_path: Path) -> None:
    page = page_of(tmp_path / "r.html", TALK)
    assert not any("Action units" in heading for heading in page.headings)


def test_action_units_of_a_neutral_face_are_not_listed(tmp_path: Path) -> None:
    still = [dataclasses.replace(frame, index=index) for index, frame in enumerate(smiling_video(frames=25))]
    page = page_of(tmp_path / "r.html", still)
    assert "No action unit is active long enough to be listed." in page.text


def test_derived_measures_have_a_line_each_and_their_means(tmp_path: Path) -> None:
    video = []
    for index, (one, other) in enumerate([(0.5, 0.0), (-0.25, 0.2), (0.0, None), (0.04, 0.4)]):
        measures = {"valence": one} if other is None else {"valence": one, "arousal": other}
        face = dataclasses.replace(face_of("happy"), measures=measures)
        video.append(Result("talk.mp4", index, float(index), (120, 90), (face,), EXPRESSIONS))
    page = page_of(tmp_path / "r.html", video, {**INFO, "measures": [["valence", ""], ["beam", "AU12 / 2"]]})
    assert "h3 Derived measures" in page.headings
    assert "nothing is learned for them" in page.text
    assert "measures valence, beam = AU12 / 2" in page.text
    assert "valence 0.07 -0.25 0.50 arousal 0.20 0.00 0.40" in page.text
    valence, arousal = (path["d"].split("Z")[:-1] for path in page.all("path")[-2:])
    middle = HEIGHT // 2
    assert valence[0] == f"M0 {middle}V{HEIGHT // 4}H375V{middle}"  # up by a quarter of the height
    assert valence[1] == f"M375 {middle}V{middle + round(HEIGHT / 8)}H750V{middle}"  # and down
    assert len(valence) == 3  # the faint one is not drawn; the last one is the line of 0
    assert [line.split("V")[1].split("H")[0] for line in arousal] == ["240", "180"]


def test_without_derived_measures_the_section_is_left_out(tmp_path: Path) -> None:
    assert "Derived measures" not in page_of(tmp_path / "r.html", TALK).text

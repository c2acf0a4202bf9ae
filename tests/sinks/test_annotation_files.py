"""Files for annotation programs and players, each read by another reader than the library that writes it."""

import csv
import dataclasses
import importlib
import json
import re
import time
from datetime import datetime
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import av
import pytest

from facemood import Result
from facemood.participants import Segment
from facemood.sinks import open_sink
from tests.sinks.test_episode_table import study_talk, talk
from tests.test_timeline import face_of, frame_of

for _module in ("pympi", "praatio", "pysubs2"):
    pytest.importorskip(_module, reason="needs the extra annotate")

INFO = {"labels": ["happy", "sad", "neutral"], "facemood": "1.2"}

EPISODES = [(0.0, 0.667, "happy", 1), (0.333, 1.667, "neutral", 2), (1.0, 1.667, "sad", 1)]
"""Start, end, label and person of each episode of `talk`, ordered by start."""


def written(path: Path, results: list[Result]) -> Path:
    """The file that a sink writes of some results."""
    sink = open_sink(str(path), INFO)
    for result in results:
        sink.write(result)
    sink.close()
    return path


def from_elan(path: Path) -> list[tuple[float, float, str, int]]:
    """The episodes of an ELAN file."""
    tree = ElementTree.parse(path).getroot()
    times = {slot.get("TIME_SLOT_ID"): int(slot.get("TIME_VALUE", "")) / 1000 for slot in tree.iter("TIME_SLOT")}
    return [
        (
            times[one.get("TIME_SLOT_REF1")],
            times[one.get("TIME_SLOT_REF2")],
            one.findtext("ANNOTATION_VALUE", ""),
            int(tier.get("TIER_ID", "").removeprefix("expression person ")),
        )
        for tier in tree.iter("TIER")
        for one in tier.iter("ALIGNABLE_ANNOTATION")
    ]


def from_praat(path: Path) -> list[tuple[float, float, str, int]]:
    """The episodes of a TextGrid, by pympi; praatio writes it."""
    found = []
    for tier in importlib.import_module("pympi.Praat").TextGrid(str(path), codec="utf-8").get_tiers():
        person = tier.name.removeprefix("expression person ")
        found += [(start, end, label, int(person)) for start, end, label in tier.get_all_intervals() if label]
    return found


def from_subtitles(path: Path) -> list[tuple[float, float, str, int]]:
    """The episodes of subtitles, by FFmpeg."""
    found = []
    with av.open(str(path)) as container:
        for packet in container.demux(subtitles=0):
            if packet.size and packet.pts is not None and packet.duration is not None:
                person, _, label = bytes(packet).decode().strip().partition(": ")
                start, scale = float(packet.pts * packet.time_base), float(packet.time_base)
                found.append((start, start + packet.duration * scale, label, int(person.removeprefix("person "))))
    return found


def from_events(path: Path) -> list[tuple[float, float, str, int]]:
    """The episodes of a table of events."""
    with path.open(newline="", encoding="utf-8") as file:
        rows = list(csv.DictReader(file, delimiter="\t"))
    return [
        (onset := float(row["onset"]), onset + float(row["duration"]), row["trial_type"], int(row["person"]))
        for row in rows
    ]


READERS: dict[str, Any] = {
    "talk.eaf": from_elan,
    "talk.TextGrid": from_praat,
    "talk.srt": from_subtitles,
    "talk.vtt": from_subtitles,
    "sub-1_task-talk_events.tsv": from_events,
}


@pytest.mark.parametrize("name", READERS)
def test_another_reader_finds_the_episodes(tmp_path: Path, name: str) -> None:
    found = sorted(READERS[name](written(tmp_path / name, talk())), key=lambda one: (one[0], one[3]))
    assert [one[2:] for one in found] == [one[2:] for one in EPISODES]
    for (start, end, *_), (wanted_start, wanted_end, *_) in zip(found, EPISODES, strict=True):
        assert (start, end) == pytest.approx((wanted_start, wanted_end), abs=0.0011)


@pytest.mark.parametrize("name", READERS)
def test_a_video_without_a_face_is_a_file_that_can_be_read(tmp_path: Path, name: str) -> None:
    path = written(tmp_path / name, [frame_of(0.0), frame_of(2.0)])
    if name.endswith((".srt", ".vtt")):
        assert path.read_text().strip() in ("", "WEBVTT")
    elif name.endswith("TextGrid"):
        (tier,) = importlib.import_module("pympi.Praat").TextGrid(str(path), codec="utf-8").get_tiers()
        assert (tier.name, tier.xmax, [label for *_, label in tier.get_all_intervals()]) == ("expression", 2, [""])
    else:
        assert READERS[name](path) == []


def test_elan_finds_the_video_beside_the_file_and_shows_only_people(tmp_path: Path) -> None:
    source = str(tmp_path / "videos" / "a b.mp4")
    frames = [frame_of(time, face_of("happy"), source=source) for time in (0.0, 0.5)]
    path = written(tmp_path / "out" / "a.eaf", frames)
    tree = ElementTree.parse(path).getroot()
    (media,) = tree.iter("MEDIA_DESCRIPTOR")
    assert (media.get("RELATIVE_MEDIA_URL"), media.get("MIME_TYPE")) == ("../videos/a%20b.mp4", "video/mp4")
    assert str(tmp_path) not in path.read_text()
    assert [tier.get("TIER_ID") for tier in tree.iter("TIER")] == ["expression person 1"]


ELAN = {
    "ANNOTATION_DOCUMENT": ("DATE AUTHOR VERSION", "HEADER TIME_ORDER TIER LINGUISTIC_TYPE CONSTRAINT"),
    "HEADER": ("", "MEDIA_DESCRIPTOR PROPERTY"),
    "MEDIA_DESCRIPTOR": ("MEDIA_URL MIME_TYPE", ""),
    "PROPERTY": ("", ""),
    "TIME_ORDER": ("", "TIME_SLOT"),
    "TIME_SLOT": ("TIME_SLOT_ID", ""),
    "TIER": ("TIER_ID LINGUISTIC_TYPE_REF", "ANNOTATION"),
    "ANNOTATION": ("", "ALIGNABLE_ANNOTATION"),
    "ALIGNABLE_ANNOTATION": ("ANNOTATION_ID TIME_SLOT_REF1 TIME_SLOT_REF2", "ANNOTATION_VALUE"),
    "ANNOTATION_VALUE": ("", ""),
    "LINGUISTIC_TYPE": ("LINGUISTIC_TYPE_ID", ""),
    "CONSTRAINT": ("STEREOTYPE", ""),
}
"""By ELAN's schema: the attributes that each element must have, and the elements in it, in their order."""


@pytest.mark.skipif(not hasattr(time, "tzset"), reason="the time zone cannot be set")
@pytest.mark.parametrize("zone", ["UTC", "Asia/Kolkata", "America/St_Johns"])
@pytest.mark.parametrize("frames", [talk(), [frame_of(0.0)], []], ids=["talk", "no face", "nothing"])
def test_elan_finds_a_file_that_its_schema_allows(
    tmp_path: Path, frames: list[Result], zone: str, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("TZ", zone)
    time.tzset()
    root = ElementTree.parse(written(tmp_path / "a.eaf", frames)).getroot()
    monkeypatch.undo()
    time.tzset()
    assert datetime.fromisoformat(root.get("DATE", "")).utcoffset() is not None
    assert re.fullmatch(r"[\d-]{10}T[\d:]{8}[+-]\d\d:\d\d", root.get("DATE", ""))
    for element in root.iter():
        needed, inside = (words.split() for words in ELAN[element.tag])
        assert set(needed) <= set(element.attrib)
        places = [inside.index(child.tag) for child in element]
        assert places == sorted(places)
    slots = {slot.get("TIME_SLOT_ID"): int(slot.get("TIME_VALUE", "")) for slot in root.iter("TIME_SLOT")}
    annotations = list(root.iter("ALIGNABLE_ANNOTATION"))
    used = [one.get(key) for one in annotations for key in ("TIME_SLOT_REF1", "TIME_SLOT_REF2")]
    assert list(slots.values()) == sorted(slots.values())
    assert sorted(used, key=str) == sorted(slots, key=str)  # each slot has one end of an annotation
    assert all(slots[one.get("TIME_SLOT_REF1")] < slots[one.get("TIME_SLOT_REF2")] for one in annotations)
    names = [one.get(key) for one in root.iter() for key in ("TIME_SLOT_ID", "ANNOTATION_ID", "STEREOTYPE", "TIER_ID")]
    known = [name for name in names if name is not None]
    assert len(known) == len(set(known)) > 0
    types = {one.get("LINGUISTIC_TYPE_ID") for one in root.iter("LINGUISTIC_TYPE")}
    assert {tier.get("LINGUISTIC_TYPE_REF") for tier in root.iter("TIER")} <= types
    (last,) = root.iter("PROPERTY")
    assert last.get("NAME") == "lastUsedAnnotationId"
    assert all(int(one.get("ANNOTATION_ID", "").removeprefix("a")) <= int(last.text or "") for one in annotations)


def test_a_lone_person_has_no_number_in_subtitles(tmp_path: Path) -> None:
    path = written(tmp_path / "a.vtt", [frame_of(0.0, face_of("happy")), frame_of(0.5, face_of("happy"))])
    assert path.read_text() == "WEBVTT\n\n1\n00:00:00.000 --> 00:00:01.000\nhappy\n\n"


def test_the_description_of_events_names_each_column(tmp_path: Path) -> None:
    described = json.loads(written(tmp_path / "sub-1_events.json", talk()).read_text())
    head = written(tmp_path / "sub-1_events.tsv", talk()).read_text().split("\n")[0].split("\t")
    assert list(described) == [*head, "GeneratedBy"]
    assert described["GeneratedBy"][0]["Version"] == "1.2"
    assert "happy" in described["trial_type"]["Levels"]


@pytest.mark.parametrize("name", ["talk.eaf", "talk.TextGrid", "talk.srt"])
def test_participants_of_a_study_have_a_tier_over_cuts_and_their_name(tmp_path: Path, name: str) -> None:
    info = {**INFO, "design": [["age", "number"]]}
    sink = open_sink(str(tmp_path / name), info)
    for result in study_talk():
        sink.write(result)
    sink.close()
    text = (tmp_path / name).read_text()
    if name.endswith(".srt"):
        assert re.findall(r"^(.*): (?:happy|sad|neutral)$", text, re.MULTILINE) == ["p01", "person 2", "p01"]
        return
    tiers = re.findall(r'TIER_ID="([^"]*)"', text) or re.findall(r'name = "([^"]*)"', text)
    assert tiers == ["expression p01", "expression person 2"]
    first = text.split(tiers[1])[0]
    assert [first.count(label) for label in ("happy", "sad", "neutral")] == [1, 1, 0]


@pytest.mark.parametrize(
    ("suffix", "expected"), [(".srt", 'p(1)/N <b> & "x": happy'), (".vtt", 'p(1)/N &lt;b&gt; &amp; "x": happy')]
)
def test_no_name_is_markup_in_subtitles(tmp_path: Path, suffix: str, expected: str) -> None:
    def named(segment: Segment | None) -> Segment | None:
        return segment and dataclasses.replace(segment, participant='p{1}\\N <b>\n & "x"')

    results = [
        dataclasses.replace(
            one,
            segments=tuple(filter(None, map(named, one.segments))),
            faces=tuple(dataclasses.replace(face, segment=named(face.segment)) for face in one.faces),
        )
        for one in study_talk()
    ]
    sink = open_sink(str(tmp_path / f"a{suffix}"), {**INFO, "design": [["age", "number"]]})
    for result in results:
        sink.write(result)
    sink.close()
    assert expected in (tmp_path / f"a{suffix}").read_text().splitlines()

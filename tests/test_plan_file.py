"""Reading the plan of a study, and what is wrong with it in words."""

from __future__ import annotations

from pathlib import Path

import pytest

from facemood.errors import OptionError
from facemood.participants import Participants
from facemood.plan_file import participants_of, read_participants

WHOLE = """path,person,participant,condition,session,start,end,baseline_start,baseline_end,age,group
p01.mp4,left,p01,calm,1,0:05,1:10,0,5,31,A
p01.mp4,left,p01,loud,1,1:10,2:00,0,5,31,A
p01.mp4,2,p02,calm,1,,,,,007,
"""


def plan_of(folder: Path, text: str, encoding: str = "utf-8") -> Participants:
    path = folder / "plan.csv"
    path.write_bytes(text.encode(encoding))
    return read_participants(path)


def test_each_line_is_a_segment(tmp_path: Path) -> None:
    first, second, third = plan_of(tmp_path, WHOLE).segments
    assert (first.participant, first.person, first.condition, first.session) == ("p01", "left", "calm", "1")
    assert (first.start, first.end, first.baseline, first.line) == (5.0, 70.0, (0.0, 5.0), 2)
    assert (second.segment, third.segment) == ("1", "1")
    assert (third.person, third.start, third.end, third.baseline) == ("2", 0.0, float("inf"), None)


def test_further_columns_are_numbers_if_all_their_cells_are(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, WHOLE)
    assert plan.further == (("age", "string"), ("group", "string"))  # 007 is a name
    assert plan.segments[0].further == {"age": "31", "group": "A"}
    assert plan.segments[2].further == {"age": "007", "group": None}
    plan = plan_of(tmp_path, WHOLE.replace("007", "7.5"))
    assert plan.further == (("age", "number"), ("group", "string"))
    assert [one.further["age"] for one in plan.segments] == [31.0, 31.0, 7.5]


@pytest.mark.parametrize(
    ("text", "encoding"),
    [
        ("path,participant,end,age\ra.mp4,p01,2.5,31.5\r", "utf-8"),
        ("path;participant;end;age\na.mp4;p01;2,5;31,5\n", "utf-8"),
        ("\ufeffpath\tparticipant\tend\tage\r\na.mp4\tp01\t2.5\t31.5\r\n", "utf-8"),
        ('path , participant,end,age\n" a.mp4 ",p01,0:02.5,31.5\n\n,,,\n', "utf-8"),
    ],
)
def test_spreadsheets_of_any_country_write_it(tmp_path: Path, text: str, encoding: str) -> None:
    plan = plan_of(tmp_path, text, encoding)
    (one,) = plan.segments
    assert (one.path, one.participant, one.end, one.further) == ("a.mp4", "p01", 2.5, {"age": 31.5})
    assert one.person == "largest"


def test_segments_without_a_name_are_numbered_in_participant_condition_and_session(tmp_path: Path) -> None:
    lines = ["a,p01,x,,0,1", "a,p01,x,,1,2", "a,p01,y,,2,3", "a,p01,x,cat,3,4", "b,p02,x,,,"]
    plan = plan_of(tmp_path, "path,participant,condition,segment,start,end\n" + "\n".join(lines))
    assert [one.segment for one in plan.segments] == ["1", "2", "1", "cat", "1"]


@pytest.mark.parametrize(
    ("text", "message"),
    [
        ("", "no column 'path'"),
        ("path,participant\n", "no lines below its header"),
        ("path,participants\na.mp4,p01", "no column 'participant'.*Did you mean 'participants'"),
        ("path,participant,path\na,p,b", "column 'path' stands 2 times"),
        ("path,participant,happy\na,p,1", "called 'happy', as a column of the tables; rename it"),
        ("path,participant,Timestamp\na,p,1", "called 'Timestamp'"),
        ("path,participant,raw_x\na,p,1", "called 'raw_x'"),
        ("path,participant,segment_time\na,p,1", "called 'segment_time'"),
        ("path,participant,\na,p,1", "a column has no name"),
        ("path,participant\na,p\n,p02", "line 3: the column 'path' is empty"),
        ("path,participant\na,", "line 2: the column 'participant' is empty"),
        ("path,participant\na,p,left", "line 2: expected 2 cells as in the header, but got 3"),
        ("path,participant,person\na,p,lefft", "expected the person left, right.*'lefft'.*Did you mean 'left'"),
        ("path,participant,person\na,p,0", "number of a track, but got '0'"),
        ('path,participant\n"a,p\nb,q\n', "the plan is not CSV"),
        ("path,participant,start\na,p,soon", "line 2, column start: expected a time such as 70 or 1:10"),
        ("path,participant,start,end\na,p,5,5", r"end \(0:05.00\) is not after start \(0:05.00\)"),
        ("path,participant,baseline_start\na,p,5", "baseline_start is given, but not baseline_end"),
        ("path,participant,baseline_start,baseline_end\na,p,9,5", "baseline_end .* is not after baseline_start"),
    ],
)  # fmt: skip
def test_what_is_wrong_is_said_with_its_line(tmp_path: Path, text: str, message: str) -> None:
    with pytest.raises(OptionError, match=message):
        plan_of(tmp_path, text)


def test_a_file_that_is_no_text_or_missing_is_refused(tmp_path: Path) -> None:
    with pytest.raises(OptionError, match=r"no text in UTF-8; save it as 'CSV UTF-8'"):
        plan_of(tmp_path, "pfäd,participant", "latin-1")
    with pytest.raises(OptionError, match=r"missing\.csv: the plan cannot be read \(No such file or directory\)"):
        read_participants(tmp_path / "missing.csv")


def test_a_line_separator_within_a_cell_ends_no_line(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, "path,participant,note\na.mp4,p01,one\u2028two\nb.mp4,p02,\n")
    assert [(one.path, one.further["note"]) for one in plan.segments] == [("a.mp4", "one\u2028two"), ("b.mp4", None)]


def test_something_else_is_no_plan() -> None:
    with pytest.raises(OptionError, match="must be a plan or the path of its CSV file, but is a dict"):
        participants_of({"path": "a.mp4"})  # type: ignore[arg-type]


def test_a_plan_is_given_as_such_by_its_path_or_not_at_all(tmp_path: Path) -> None:
    plan = plan_of(tmp_path, WHOLE)
    assert participants_of(plan) is plan
    assert participants_of(tmp_path / "plan.csv") == plan
    assert participants_of(None) is None


@pytest.mark.parametrize(
    ("column", "meant"), [("persn", "person"), ("conditoin", "condition"), ("baseline_strat", "baseline_start")]
)
def test_a_misspelt_column_is_told(tmp_path: Path, caplog: pytest.LogCaptureFixture, column: str, meant: str) -> None:
    plan = plan_of(tmp_path, f"path,participant,{column},age,site,sex\na.mp4,p01,left,31,north,f\n")
    assert [name for name, _ in plan.further] == [column, "age", "site", "sex"]
    (message,) = caplog.messages
    assert message.endswith(
        f"plan.csv: {column!r} is taken for a column of your own, not for {meant!r}; rename it if it is that"
    )

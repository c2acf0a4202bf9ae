"""Findings of a study, against numbers that are worked out by hand or by scipy itself."""

from __future__ import annotations

from typing import Any

import numpy as np
import pytest

from facemood.errors import OptionError

pandas = pytest.importorskip("pandas", reason="findings need the extra study")
stats = pytest.importorskip("scipy.stats", reason="findings need the extra study")

from facemood.study import condition_means, effect_size, paired_differences, time_locked  # noqa: E402


def summaries(people: int = 12, *, effect: float = 0.2, seed: int = 0) -> Any:
    """A study of two conditions; each participant has two segments of the second one."""
    random = np.random.default_rng(seed)
    rows = []
    for number in range(people):
        own = random.uniform(0.1, 0.5)
        change = effect + random.normal(0, 0.1)
        rows += [(f"p{number}", "calm", own), (f"p{number}", "funny", own + change - 0.05)]
        rows += [(f"p{number}", "funny", own + change + 0.05)]
    return pandas.DataFrame(rows, columns=["participant", "condition", "share_happy"])


def test_participants_count_once_however_many_segments_they_have() -> None:
    table = pandas.DataFrame({"participant": list("aaab"), "condition": ["x"] * 4, "share_happy": [1.0, 1.0, 1.0, 0.0]})
    (row,) = condition_means(table, "share_happy").to_dict("records")
    assert (row["n"], row["mean"]) == (2, 0.5)
    assert np.isnan([row["low"], row["high"]]).all()  # no interval of two people


def test_condition_means_have_the_order_of_the_table_and_skip_missing_values() -> None:
    table = summaries()
    table.loc[table.participant == "p0", "share_happy"] = np.nan
    found = condition_means(table, "share_happy")
    assert found["condition"].tolist() == ["calm", "funny"]
    assert found["n"].tolist() == [11, 11]
    people = table[table.condition == "calm"].dropna()["share_happy"]
    assert found["mean"][0] == pytest.approx(people.mean())
    assert found["sd"][0] == pytest.approx(people.std())
    assert found["mean"].between(found["low"], found["high"]).all()


def test_intervals_hold_the_mean_of_the_process_about_95_times_in_100() -> None:
    held = 0
    for seed in range(100):
        values = np.random.default_rng(seed).normal(0.3, 0.1, 40)
        table = pandas.DataFrame({"participant": range(40), "condition": "x", "mean_happy": values})
        (row,) = condition_means(table, "mean_happy", samples=400, seed=seed).to_dict("records")
        held += row["low"] <= 0.3 <= row["high"]
    assert 88 <= held <= 99


def test_the_same_seed_gives_the_same_interval() -> None:
    one, other = (condition_means(summaries(), "share_happy", seed=3) for _ in range(2))
    pandas.testing.assert_frame_equal(one, other)


def test_paired_differences_are_those_of_scipy() -> None:
    table = summaries()
    (row,) = paired_differences(table, "share_happy", ("calm", "funny")).to_dict("records")
    pairs = table.groupby(["participant", "condition"])["share_happy"].mean().unstack()
    differences = (pairs["funny"] - pairs["calm"]).to_numpy()
    assert (row["n"], row["left_out"]) == (12, 0)
    assert row["difference"] == pytest.approx(differences.mean())
    test = stats.ttest_rel(pairs["funny"], pairs["calm"])
    assert row["p_t"] == pytest.approx(test.pvalue)
    assert test.confidence_interval().low == pytest.approx(row["low"], abs=0.03)
    assert row["p_wilcoxon"] == pytest.approx(stats.wilcoxon(differences).pvalue)
    assert row["effect_low"] < row["effect_size"] < row["effect_high"]
    (back,) = paired_differences(table, "share_happy", ("funny", "calm")).to_dict("records")
    assert (back["difference"], back["effect_size"]) == pytest.approx((-row["difference"], -row["effect_size"]))


def test_who_lacks_a_condition_is_left_out_and_counted() -> None:
    table = summaries()
    table = table[~((table.participant == "p3") & (table.condition == "calm"))]
    (row,) = paired_differences(table, "share_happy", ("calm", "funny")).to_dict("records")
    assert (row["n"], row["left_out"]) == (11, 1)


def test_few_participants_have_a_difference_but_no_p_value() -> None:
    (row,) = paired_differences(summaries(2), "share_happy", ("calm", "funny")).to_dict("records")
    assert (row["n"], np.isnan(row["difference"])) == (2, False)
    assert all(np.isnan(row[name]) for name in ("low", "high", "effect_size", "p_t", "p_wilcoxon"))


def test_wrong_names_are_told_with_the_nearest() -> None:
    with pytest.raises(OptionError, match="no column 'share_hapy'. Did you mean 'share_happy'"):
        condition_means(summaries(), "share_hapy")
    with pytest.raises(OptionError, match="condition 'fun'.*expected two of calm, funny. Did you mean 'funny'"):
        paired_differences(summaries(), "share_happy", ("calm", "fun"))
    with pytest.raises(OptionError, match="check the plan"):
        condition_means(summaries().assign(share_happy=np.nan), "share_happy")
    with pytest.raises(OptionError, match="the column 'share_happy' has no numbers"):
        condition_means(summaries().assign(share_happy="sad"), "share_happy")
    with pytest.raises(OptionError, match="expected two conditions, such as .* but got .'calm', 'funny', 'calm'."):
        paired_differences(summaries(), "share_happy", ("calm", "funny", "calm"))  # type: ignore[arg-type]


@pytest.mark.parametrize("one", [1, "1", 1.0])
@pytest.mark.parametrize("kind", [int, float, str])
def test_conditions_that_are_numbers_may_be_texts(kind: Any, one: Any) -> None:
    table = summaries()
    numbered = table.assign(condition=table.condition.map({"calm": 1, "funny": 2}).astype(kind))
    found = paired_differences(numbered, "share_happy", (one, type(one)(2)))
    pandas.testing.assert_frame_equal(found, paired_differences(table, "share_happy", ("calm", "funny")))


def test_long_numbers_are_conditions_of_their_own() -> None:
    table = summaries()
    numbered = table.assign(condition=table.condition.map({"calm": 1234567.0, "funny": 1234568.0}))
    found = paired_differences(numbered, "share_happy", ("1234567", "1234568"))
    pandas.testing.assert_frame_equal(found, paired_differences(table, "share_happy", ("calm", "funny")))


def test_a_condition_that_is_a_number_and_a_text_is_refused() -> None:
    table = summaries()
    mixed = table.assign(condition=[1, "1", *table.condition[2:]])
    with pytest.raises(OptionError, match="a condition stands both as a number and as text"):
        paired_differences(mixed, "share_happy", ("calm", "funny"))


def test_the_effect_size_is_the_mean_in_standard_deviations() -> None:
    differences = np.random.default_rng(0).normal(0.5, 1.0, 100_000)
    assert float(effect_size(differences)) == pytest.approx(0.5, abs=0.02)
    assert effect_size(np.ones((2, 5))).tolist() == [0, 0]


def faces(*, people: int = 5, step: float = 0.1, seconds: float = 2.0) -> Any:
    """Rows of people who smile from second 1 on in one condition, the more the higher their number."""
    rows: list[tuple[Any, ...]] = []
    for number in range(people):
        for condition in ("calm", "funny"):
            for index in range(round(seconds / step)):
                time = index * step
                smile = 0.1 * (number + 1) if condition == "funny" and time >= 1 - 1e-9 else 0.0
                rows.append(("a.mp4", f"p{number}", condition, None, "1", time, 0.2 + smile))
    rows.append(("a.mp4", None, None, None, None, None, 0.9))  # somebody who is no participant
    names = ["source", "participant", "condition", "session", "segment", "segment_time", "happy"]
    return pandas.DataFrame(rows, columns=names)


@pytest.mark.parametrize("step", [0.1, 0.05])
def test_a_time_locked_average_is_the_mean_over_participants_at_any_frame_rate(step: float) -> None:
    found = time_locked(faces(step=step), "happy", step=0.5, samples=200)
    calm, funny = (found[found.condition == name] for name in ("calm", "funny"))
    assert calm["time"].tolist() == funny["time"].tolist() == [0.25, 0.75, 1.25, 1.75]
    assert calm["mean"].tolist() == pytest.approx([0.2] * 4)
    assert funny["mean"].tolist() == pytest.approx([0.2, 0.2, 0.5, 0.5])
    assert set(found["n"]) == {5}
    assert funny["low"].iloc[2] < 0.5 < funny["high"].iloc[2]


def test_a_time_locked_average_can_be_relative_to_a_baseline_and_end_early() -> None:
    found = time_locked(faces(), "happy", step=0.5, end=1.5, baseline=(0.0, 1.0), samples=200)
    assert found[found.condition == "funny"]["mean"].tolist() == pytest.approx([0, 0, 0.3])
    with pytest.raises(OptionError, match=r"no happy from 5 to 6 s in the segment a\.mp4 p0 calm"):
        time_locked(faces(), "happy", baseline=(5, 6))
    with pytest.raises(OptionError, match="must be above 0 s"):
        time_locked(faces(), "happy", step=0)


@pytest.mark.parametrize("onset", [1.0, "joke_at"])
def test_times_count_from_the_event_of_each_segment(onset: float | str) -> None:
    rows = faces().assign(joke_at=1.0)
    found = time_locked(rows, "happy", step=0.5, onset=onset, end=1, baseline=(-1, 0), samples=200)
    funny = found[found.condition == "funny"]
    assert funny["time"].tolist() == [-0.75, -0.25, 0.25, 0.75]
    assert funny["mean"].tolist() == pytest.approx([0, 0, 0.3, 0.3])
    assert rows["segment_time"].min() == 0  # the rows are not changed


def test_segments_whose_events_differ_are_aligned() -> None:
    rows = faces().assign(joke_at=1.0)
    late = rows.participant == "p4"
    rows.loc[late, ["segment_time", "joke_at"]] += 2
    found = time_locked(rows, "happy", step=0.5, onset="joke_at", samples=200)
    assert found[found.condition == "funny"]["time"].tolist() == [-0.75, -0.25, 0.25, 0.75]
    assert set(found["n"]) == {5}
    rows.loc[late, "joke_at"] = np.nan
    with pytest.raises(OptionError, match=r"joke_at of the segment a\.mp4 p4 calm 1 is no number of seconds"):
        time_locked(rows, "happy", onset="joke_at")
    rows.loc[late, "joke_at"] = np.inf
    with pytest.raises(OptionError, match=r"joke_at of the segment a\.mp4 p4 calm 1 is no number of seconds"):
        time_locked(rows, "happy", onset="joke_at")
    with pytest.raises(OptionError, match="no column 'joke'. Did you mean 'joke_at'"):
        time_locked(rows, "happy", onset="joke")


@pytest.mark.parametrize("onset", [None, np.nan, np.inf])
def test_an_event_is_at_a_finite_time(onset: Any) -> None:
    with pytest.raises(OptionError, match=f"onset must be a number of seconds or a column, but is {onset}"):
        time_locked(faces(), "happy", onset=onset)


def test_conditions_may_be_categories() -> None:
    rows = faces()
    known = rows.assign(condition=pandas.Categorical(rows["condition"], ["funny", "calm", "sad"]))
    pandas.testing.assert_frame_equal(*(time_locked(one, "happy", step=0.5, samples=200) for one in (rows, known)))


def test_values_keep_the_order_in_which_they_are_named() -> None:
    found = time_locked(faces().assign(AU12=0.5), ["happy", "AU12"], step=0.5, samples=200)
    assert found["value"].unique().tolist() == ["happy", "AU12"]
    assert found["condition"].tolist() == (["calm"] * 4 + ["funny"] * 4) * 2


def test_photos_of_a_study_have_no_time_and_no_curve() -> None:
    rows = faces()
    photos = rows[rows.participant == "p0"].assign(source="a.jpg", segment_time=np.nan)
    both = pandas.concat([rows, photos], ignore_index=True)
    pandas.testing.assert_frame_equal(*(time_locked(one, "happy", step=0.5, samples=200) for one in (rows, both)))
    with pytest.raises(OptionError, match="no row has a participant and a time in a segment; check the plan"):
        time_locked(photos, "happy")

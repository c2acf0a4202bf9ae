"""Event-related curves: what is drawn are the numbers of the table."""

from __future__ import annotations

import sys
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from facemood.errors import MissingExtraError, OptionError
from facemood.render.palette import LINE_COLOURS

pandas = pytest.importorskip("pandas", reason="curves are data frames")
colors = pytest.importorskip("matplotlib.colors", reason="figures need the extra plot")

from facemood.render.curve_plots import plot_time_locked  # noqa: E402

VALUES = ["sad", "happy", "AU12", "valence"]


def table(values: list[str] = VALUES, *, by: str = "condition", gap: bool = False) -> Any:
    """Curves of two conditions from -0.5 to 1.5 s in bins of 0.5 s; the second one has few participants at the end."""
    rows = []
    for height, value in enumerate(values):
        for condition in ("calm", "funny"):
            for place, time in enumerate((-0.25, 0.25, 0.75, 1.25)):
                if gap and condition == "funny" and place == 2:
                    continue
                n = 2 if condition == "funny" and place == 3 else 9
                mean = 0.1 * height + 0.05 * place
                ends = (np.nan, np.nan) if n < 3 else (mean - 0.02, mean + 0.03)
                rows.append((value, condition, time, n, mean, *ends))
    return pandas.DataFrame(rows, columns=["value", by, "time", "n", "mean", "low", "high"])


def curves_of(axes: Any) -> list[Any]:
    """The lines of conditions in a panel; the others are references."""
    return [line for line in axes.lines if line.get_label() in ("calm", "funny")]


@pytest.mark.parametrize("by", ["condition", "group"])
def test_lines_and_bands_are_the_values_of_the_table(by: str) -> None:
    known = table(by=by)
    figure = plot_time_locked(known)
    assert [axes.get_title("left") for axes in figure.axes] == ["sad", "happy", "AU12, lip corner puller", "valence"]
    panels: list[Any] = list(figure.axes)
    for axes, value in zip(panels, VALUES, strict=True):
        for line, band, condition in zip(curves_of(axes), axes.collections, ("calm", "funny"), strict=True):
            rows = known[(known["value"] == value) & (known[by] == condition)]
            np.testing.assert_array_equal(line.get_xydata(), rows[["time", "mean"]].to_numpy())
            ends = rows.dropna(subset=["low"])
            assert {tuple(corner) for path in band.get_paths() for corner in path.vertices.tolist()} == {
                *ends[["time", "low"]].itertuples(index=False, name=None),
                *ends[["time", "high"]].itertuples(index=False, name=None),
            }


def test_conditions_differ_in_colour_and_pattern_and_tell_their_participants() -> None:
    figure = plot_time_locked(table())
    calm, funny = curves_of(figure.axes[0])
    assert [colors.to_hex(line.get_color()).upper() for line in (calm, funny)] == list(LINE_COLOURS[:2])
    assert calm.get_linestyle() != funny.get_linestyle()
    (legend,) = figure.legends
    assert [text.get_text() for text in legend.get_texts()] == [
        "calm (n = 9)", "funny (n = 2 to 9)", "95% interval",
    ]  # fmt: skip


def test_without_participants_a_curve_is_interrupted() -> None:
    _, funny = curves_of(plot_time_locked(table(["happy"], gap=True)).axes[0])
    np.testing.assert_array_equal(np.isnan(funny.get_ydata()), [False, False, True, False])


def test_stimuli_event_and_baseline_are_marked() -> None:
    figure = plot_time_locked(table(["happy"]), stimuli={"joke": (0, 1), "a $x_{1 b": (1.2, 1.2)}, baseline=(-0.5, 0))
    axes: Any = figure.axes[0]
    spans = {(patch.get_x(), patch.get_x() + patch.get_width()): patch.get_hatch() for patch in axes.patches}
    assert spans == {(0, 1): None, (-0.5, 0): "////"}
    straight = [line.get_xdata()[0] for line in axes.lines if list(line.get_ydata()) == [0, 1]]
    assert straight == [0, 1.2]
    assert {text.get_text(): float(text.xy[0]) for text in axes.texts} == {"joke": 0, "a $x_{1 b": 1.2}
    assert figure.legends[0].get_texts()[-1].get_text() == "baseline"
    assert axes.get_ylabel() == "mean change\nfrom the baseline"
    assert figure._repr_png_().startswith(b"\x89PNG")  # type: ignore[attr-defined]


def test_panels_share_their_axes_unless_units_differ() -> None:
    same = plot_time_locked(table())
    assert len({axes.get_ylim() for axes in same.axes}) == len({axes.get_xlim() for axes in same.axes}) == 1
    own = plot_time_locked(table(), same_axes=False)
    assert (len({axes.get_ylim() for axes in own.axes}), len({axes.get_xlim() for axes in own.axes})) == (4, 1)


@pytest.mark.parametrize(("width", "columns"), [(4, 1), (7, 2), (10.4, 2), (13, 4)])
def test_narrow_figures_have_fewer_panels_side_by_side_and_nothing_is_cut(width: float, columns: int) -> None:
    figure = plot_time_locked(table(), stimuli={"joke": (0, 1)}, baseline=(-0.5, 0), width=width)
    figure.draw_without_rendering()
    assert len({round(axes.get_position().x0, 3) for axes in figure.axes}) == columns
    for part in (*figure.legends, *figure.axes):
        box = part.get_tightbbox()
        assert box is not None
        assert 0 <= box.x0 < box.x1 <= figure.bbox.width
        assert 0 <= box.y0 < box.y1 <= figure.bbox.height


def test_expressions_are_named_in_a_language() -> None:
    assert plot_time_locked(table(["happy"]), language="fr").axes[0].get_title("left") == "joie"


def test_another_table_and_wrong_periods_are_told() -> None:
    with pytest.raises(
        OptionError, match=r"expected the table of facemood\.study\.time_locked.*got 8 rows of value, c"
    ):
        plot_time_locked(table(["happy"]).drop(columns="low"))
    with pytest.raises(OptionError, match="got 0 rows"):
        plot_time_locked(table(["happy"])[:0])
    with pytest.raises(OptionError, match="'joke' ends at 1 s, before it starts at 2 s"):
        plot_time_locked(table(["happy"]), stimuli={"joke": (2, 1)})


@pytest.mark.parametrize("period", [1.0, (1,), (0, 1, 2), None, ("a", "b"), (0, np.nan), (-np.inf, 0)])
def test_a_period_is_two_finite_numbers(period: Any) -> None:
    with pytest.raises(OptionError, match="'joke' is .*expected .*such as"):
        plot_time_locked(table(["happy"]), stimuli={"joke": period})
    if period is not None:
        with pytest.raises(OptionError, match="'baseline' is "):
            plot_time_locked(table(["happy"]), baseline=period)


def test_a_stimulus_outside_of_the_curves_is_shown_too() -> None:
    axes: Any = plot_time_locked(table(["happy"]), stimuli={"before": (-3, -2)}).axes[0]
    assert axes.get_xlim()[0] < -3 < 1.25 < axes.get_xlim()[1]


def many(conditions: list[str]) -> Any:
    """Curves of many conditions."""
    rows = [(one, time, 3, 0.5, 0.4, 0.6) for one in conditions for time in (0.25, 0.75)]
    known = pandas.DataFrame(rows, columns=["condition", "time", "n", "mean", "low", "high"])
    return known.assign(value="happy")


@pytest.mark.parametrize("conditions", [[f"c{place}" for place in range(24)], ["a long name " * 20, "b"]])
@pytest.mark.parametrize("width", [4, 10.4])
def test_many_or_long_names_of_conditions_leave_room_for_the_curves(conditions: list[str], width: float) -> None:
    figure = plot_time_locked(many(conditions), width=width)
    figure.draw_without_rendering()
    axes: Any = figure.axes[0]
    styles = {(line.get_color(), line.get_linestyle()) for line in axes.lines if line.get_label() in conditions}
    assert len(styles) == len(conditions)
    (legend,) = figure.legends
    box = legend.get_tightbbox()
    assert box is not None
    assert 0 <= box.x0 < box.x1 <= figure.bbox.width
    assert axes.get_window_extent().y1 < box.y0 < box.y1 <= figure.bbox.height
    assert 1.2 < axes.get_window_extent().height / figure.dpi < 2.2  # inches


def test_curves_are_those_of_the_table_also_from_a_file_or_with_categories(tmp_path: Path) -> None:
    none = many([""])
    none.to_csv(tmp_path / "curves.csv", index=False)  # a condition without a name is missing in the file
    read = plot_time_locked(pandas.read_csv(tmp_path / "curves.csv"))
    assert [text.get_text() for text in read.legends[0].get_texts()] == ["n = 3", "95% interval"]
    np.testing.assert_array_equal(read.axes[0].lines[-1].get_xydata(), [[0.25, 0.5], [0.75, 0.5]])
    known = many(["b", "a"])
    figure = plot_time_locked(known.assign(condition=pandas.Categorical(known["condition"], ["a", "b", "c"])))
    assert [text.get_text() for text in figure.legends[0].get_texts()][:2] == ["b (n = 3)", "a (n = 3)"]


def test_without_matplotlib_the_extra_is_named(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setitem(sys.modules, "matplotlib", None)
    with pytest.raises(MissingExtraError, match="extra 'plot'"):
        plot_time_locked(table(["happy"]))

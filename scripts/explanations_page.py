"""Write docs/explanations.md, its tables and its plots, from the figures of scripts/measure_explanations.py."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import numpy as np

from facemood.evaluation.figures import drawing, label_percent
from facemood.explain import traits_of
from facemood.render.palette import CHART_GREY, CHART_INK, LINE_COLOURS
from facemood.text import exact_percent, fill_template, markdown_table

ROOT = Path(__file__).resolve().parents[1]
"""The checkout."""

SHOWN = ("forehead", "brows", "eyes", "nose", "cheeks", "mouth", "chin", "outside")
"""The regions from the top of the face down."""

METHODS = ("lime", "cam", "occlusion")
"""The methods that are compared."""

RANDOM_ORDERS = 5
"""Random orders of superpixels that each explanation is compared with, per image."""


def draw_figures(known: dict[str, Any], folder: Path) -> None:
    """Draw how often each region is covered, per segmenter and map; the small sample has tables only."""
    for name, table in {**known["large"], **known["maps"]}.items():
        draw_regions(table, folder / f"regions-{name}.svg", title=title_of(name, table))
    draw_true(known["true"], folder / "deletion.svg")


def all_tables(known: dict[str, Any]) -> dict[str, dict[str, Any]]:
    """Return the tables of regions by name: the small sample, the large one, and the maps."""
    named = {"small": "small-", "large": "", "maps": ""}
    return {prefix + kind: table for part, prefix in named.items() for kind, table in known[part].items()}


def title_of(name: str, table: dict[str, Any]) -> str:
    """Return the title of a chart."""
    images = sum(entry["images"] for entry in table.values())
    return f"{name}, {images} images: how often supporting weights cover half of a region"


def draw_regions(table: dict[str, Any], file: Path, *, title: str) -> None:
    """Draw one panel per expression: each region's share of images as a bar, and the share by chance as a line."""
    with drawing(file, height=5.6) as figure:
        panels = figure.subplots(2, 4, sharex=True, sharey=True)
        for axes, (label, entry) in zip(panels.flat, table.items(), strict=False):
            traits, places = traits_of(label), np.arange(len(SHOWN))
            colours = [LINE_COLOURS[1] if region in traits else LINE_COLOURS[0] for region in SHOWN]
            axes.barh(places, [entry["covered"][region] for region in SHOWN], color=colours, height=0.7)
            chance = [entry["covered_by_chance"][region] for region in SHOWN]
            axes.plot(chance, places, linestyle="none", marker="|", color=CHART_INK, markersize=12)
            axes.set_yticks(places, SHOWN)
            axes.set_title(f"{label} ({entry['images']})")
            axes.set_xlim(0, 1)
            label_percent(axes.xaxis, "")
        panels.flat[0].invert_yaxis()
        for axes in panels.flat[len(table) :]:
            axes.axis("off")
        panels.flat[-1].text(0, 0.5, "orange: traits (FACS)\nblack line: random weights", va="center")
        figure.suptitle(title, x=0.01, ha="left", fontsize=12)


def draw_true(table: dict[str, Any], file: Path) -> None:
    """Draw how much better than chance each method ranks superpixels, with its interval."""
    with drawing(file, height=3.2) as figure:
        panels = {"less_deletion": "smaller area under deletion", "more_insertion": "larger area under insertion"}
        for axes, (key, words) in zip(figure.subplots(1, 2, sharey=True), panels.items(), strict=True):
            for turn, (hide, colour) in enumerate(zip(("mean", "blur"), LINE_COLOURS, strict=False)):
                for place, method in enumerate(METHODS):
                    middle, low, high = table[f"{hide}/{method}"][key]
                    at = place + 0.15 * (2 * turn - 1)
                    axes.plot([low, high], [at, at], color=colour)
                    axes.plot(
                        [middle], [at], marker="o", color=colour, label=f"hidden by {hide}" if not place else None
                    )
            axes.axvline(0, color=CHART_GREY, linewidth=1)
            axes.set_yticks(range(len(METHODS)), METHODS)
            axes.set_title(f"{words} than by chance")
        axes.legend(loc="center left")


def page(known: dict[str, Any]) -> str:
    """Write the page from the figures."""
    text = (ROOT / "scripts" / "explanations.template.md").read_text(encoding="utf-8")
    steady, sane, true, times = known["steady"], known["sane"], known["true"], known["milliseconds"]
    made = {
        "short": "\n".join(f"- {line}" for line in in_short(known)),
        "model": f"`{known['model']}` (SHA-256 begins {known['sha256']}), head `{known['head']}`",
        "seen": f"{known['seen']['right']:,} of {known['seen']['images']:,}",
        "without_points": str(known["seen"]["without_points"]),
        "counts": ", ".join(f"{label} {count}" for label, count in known["seen"]["classes"].items()),
        "small_samples": f"{known['samples']['small']:,}", "large_samples": f"{known['samples']['large']:,}",
        "done": ", ".join(
            f"{name} {sum(entry['images'] for entry in table.values())}" for name, table in all_tables(known).items()
        ),
        "regions": "\n\n".join(region_section(name, table) for name, table in all_tables(known).items()),
        "agreement": markdown_table(agreement_rows(known)),
        "hands": markdown_table(hand_rows(known)),
        "fits": markdown_table(fit_rows(known)),
        "true_images": str(true["images"]), "orders": str(RANDOM_ORDERS), "true": markdown_table(true_rows(true)),
        "failures": ", ".join(f"row {row['row']} ({row['label']}, R2 {row['r2']:.2f})" for row in true["failures"]),
        "steady_images": str(steady["images"]), "seeds": str(steady["seeds"]),
        "steady": markdown_table(steady_rows(steady)),
        "sane_images": str(sane["images"]), "sane": markdown_table(sane_rows(sane)),
        "times": markdown_table([{"what": name, "ms": f"{value:,.2f}"} for name, value in times.items()]),
        "ratio": f"{times['cam'] / times['classification']:.2f}",
    }  # fmt: skip
    return fill_template(text, made)


def in_short(known: dict[str, Any]) -> list[str]:
    """Return the summary, sentences made from the figures."""
    true, sane, hands = known["true"], known["sane"], known["hands"]
    mean, low, high = true["mean/lime"]["less_deletion"]
    blurred = true["blur/lime"]
    densest = ", ".join(f"{label} {densest_region(entry)}" for label, entry in known["large"]["slic"].items())
    covered = sum(one["weight"]["brows"] + one["weight"]["eyes"] > one["weight"]["mouth"] for one in hands)
    shuffled = max(abs(sane[f"{method}/all"][0]) for method in METHODS)
    return [
        f"Hiding LIME's strongest superpixels first lowers the label's probability faster than hiding them in random "
        f"order. The area under the deletion curve is {mean:.2f} smaller [{low:.2f}, {high:.2f}], on {true['images']} "
        f"images. It is worse than chance on {true['mean/lime']['worse_than_chance']} images, and on "
        f"{blurred['worse_than_chance']} if superpixels are hidden by blur.",
        f"The region inside the face with the most positive weight for its size (LIME, SLIC): {densest}.",
        f"If a hand covers the mouth, brows and eyes together have more weight than the mouth in {covered} "
        f"of {len(hands)} images.",
        f"Shuffling the network's weights destroys the explanations: mean rank correlations are within "
        f"{shuffled:.2f} of 0.",
        "On a single image, the segmentations can contradict each other, as the figure in the README shows. Six images "
        "a class are too few to distinguish a region from chance: compare the small sample with the large one below.",
    ]


def densest_region(entry: dict[str, Any]) -> str:
    """Name the region inside the face with the most weight per area, as a multiple of its equal share."""
    times = {region: entry["weight"][region] / max(entry["area"][region], 0.005) for region in SHOWN[:-1]}
    best = max(times, key=lambda region: times[region])
    return f"{best} ({times[best]:.1f} times its equal share)"


def region_section(name: str, table: dict[str, Any]) -> str:
    """Return the chart and the table of one method."""
    rows = [
        {"expression": label, "images": entry["images"], **{region: cell(entry, region) for region in SHOWN}}
        for label, entry in table.items()
    ]
    if name.startswith("small-"):
        return f"### {name.removeprefix('small-')}, the small sample\n\n{markdown_table(rows)}"
    chart = f"![Regions covered, {name}](explanations/regions-{name}.svg)"
    return f"### {name}\n\n{chart}\n\n{markdown_table(rows)}"


def cell(entry: dict[str, Any], region: str) -> str:
    """Format how often a region is covered, the same by chance, and how often its weight is significant."""
    covered, chance, much = (entry[key][region] for key in ("covered", "covered_by_chance", "significant"))
    return f"{covered:.0%} ({chance:.0%}), {much:.0%}"


def agreement_rows(known: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the table of agreement with FACS: for each expression its traits, and each method's score."""
    tables = all_tables(known)
    labels = dict.fromkeys(label for table in tables.values() for label in table)
    return [
        {
            "expression": label,
            "traits (FACS)": ", ".join(region for region in SHOWN if region in traits_of(label)),
            **{name: score(table.get(label)) for name, table in tables.items()},
        }
        for label in labels
        if traits_of(label)
    ]


def hand_rows(known: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the table of faces with a hand over the mouth, and the same shares in the large sample."""
    parts = {"mouth and chin": ("mouth", "chin"), "brows and eyes": ("brows", "eyes")}

    def shares(entry: dict[str, Any]) -> dict[str, str]:
        sums = {key: [sum(entry[part][region] for region in regions) for part in ("weight", "area")]
                for key, regions in parts.items()}  # fmt: skip
        return {key: f"{weight:.0%} of {area:.0%}" for key, (weight, area) in sums.items()}

    rows = [
        {"image": f"row {one['row']}", "label": one["label"], "predicted": one["read"],
         "label's probability": exact_percent(one["probability"]), **shares(one)}
        for one in known["hands"]
    ]  # fmt: skip
    table = known["large"].get("slic", {})
    labels = [label for label in dict.fromkeys(one["label"] for one in known["hands"]) if label in table]
    return rows + [
        {"image": f"mean of {table[label]['images']} images", "label": label, "predicted": label,
         "label's probability": "", **shares(table[label])}
        for label in labels
    ]  # fmt: skip


def score(entry: dict[str, Any] | None) -> str:
    """Format the share of positive weight on the traits, its interval, and the traits' share of the area."""
    if entry is None or entry["on_traits"] is None:
        return "-"
    middle, low, high = entry["on_traits"]
    return f"{middle:.0%} [{low:.0%}, {high:.0%}] of {entry['traits_area']:.0%}"


def fit_rows(known: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the table of LIME's local fits: the mean R2 of each expression."""
    tables = {name: table for name, table in all_tables(known).items() if name not in METHODS}
    labels = dict.fromkeys(label for table in tables.values() for label in table)
    return [
        {
            "expression": label,
            **{name: f"{table[label]['r2']:.2f}" if label in table else "-" for name, table in tables.items()},
        }
        for label in labels
    ]


def true_rows(table: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the table of deletion and insertion."""

    def span(values: list[float]) -> str:
        return f"{values[0]:+.3f} [{values[1]:+.3f}, {values[2]:+.3f}]"

    return [
        {
            "hidden by": kind.partition("/")[0], "ranked by": kind.partition("/")[2],
            "deletion": f"{entry['deletion']:.3f}", "less than chance": span(entry["less_deletion"]),
            "insertion": f"{entry['insertion']:.3f}", "more than chance": span(entry["more_insertion"]),
            "images worse than chance": entry["worse_than_chance"] if not kind.endswith("chance") else "-",
        }
        for kind, entry in table.items()
        if "/" in kind
    ]  # fmt: skip


def steady_rows(table: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the table of how similar the explanations of different seeds are."""
    return [
        {
            "samples": key,
            "rank correlation": f"{table[key]['ranks']:.2f}",
            "of the top five shared": exact_percent(table[key]["top5"]),
        }
        for key in ("250", "1000")
    ]


def sane_rows(table: dict[str, Any]) -> list[dict[str, Any]]:
    """Return the table of the sanity check."""
    words = {"head": "heads shuffled", "all": "all layers shuffled"}
    return [
        {
            "method": method,
            **{words[kind]: "{:.2f} [{:.2f}, {:.2f}]".format(*table[f"{method}/{kind}"]) for kind in words},
        }
        for method in METHODS
    ]

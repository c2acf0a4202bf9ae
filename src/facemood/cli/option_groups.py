"""Options in groups, for the help of commands that have many."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any

MANY = 15
"""Options from which a command's help has groups; fewer are read as one list."""

GROUPS: Mapping[str, tuple[str, ...]] = {
    "Outputs": (
        "output", "record", "window", "on_change", "json", "draw", "anonymize", "language", "mirror", "csv_dialect",
        "resume", "overwrite",
    ),
    "Inputs": ("from_list", "column", "allow_download"),
    "Videos": ("every", "smooth", "baseline", "segment", "people", "same_people"),
    "Own columns": ("participants", "valence", "expression"),
    "Explanation": ("method", "segmenter", "settings", "label", "face", "samples", "seed", "hide"),
    "Address and access": (
        "host", "port", "open_page", "token", "allow_host", "certificate", "key", "proxy", "root_path", "limit",
        "access_log",
    ),
    "Faces": ("detector", "min_face", "threshold", "max_faces", "orientation"),
    "Network": ("model", "head", "views", "prior", "precision", "device", "threads", "batch"),
    "Many processes": ("workers", "shard", "on", "gpus_per_worker", "pictures", "retry"),
    "Messages": ("quiet", "verbose", "help"),
}  # fmt: skip
"""Names of parameters by the title of their group."""

TITLES = {name: title for title, names in GROUPS.items() for name in names}
"""The title of each parameter's group."""

OTHER = "Messages"
"""The group of an option that has none; a test finds it."""


def with_groups(parameters: list[Any]) -> list[Any]:
    """Give the options of a command the titles of their groups, and return its parameters in the order of groups.

    Args:
        parameters: All parameters of a command, the option for help too. Fewer than `MANY` options stay as they are.
    """
    options = [one for one in parameters if one.param_type_name == "option"]
    if len(options) < MANY:
        return parameters
    for option in options:
        option.rich_help_panel = TITLES.get(option.name, OTHER)
    order = list(GROUPS)
    return sorted(parameters, key=lambda one: order.index(TITLES.get(one.name, OTHER)) if one in options else -1)


def sections_of(parameters: list[Any], context: Any) -> dict[str, list[tuple[str, str]]]:
    """Return the lines of a plain help text by the titles of their sections: names and meaning of each parameter."""
    sections: dict[str, list[tuple[str, str]]] = {}
    for one in parameters:
        line = one.get_help_record(context)
        if line is not None:
            kind = "Arguments" if one.param_type_name == "argument" else "Options"
            sections.setdefault(getattr(one, "rich_help_panel", None) or kind, []).append(line)
    return sections

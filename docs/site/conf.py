"""Settings of the site: the Markdown pages of the repository, the API from docstrings, the commands from help texts.

    make docs

The source folder is the root of the repository, so that links lead to the same files here and on a forge. Nothing is
asked of a network.
"""

from __future__ import annotations

import functools
import os
import sys
from pathlib import Path
from typing import Any

from sphinx.application import Sphinx

ROOT = Path(__file__).resolve().parents[2]
"""The root of the repository."""

sys.path.insert(0, str(ROOT))
os.environ.setdefault("PYDEVD_DISABLE_FILE_VALIDATION", "1")  # kernels of notebooks start a debugger that warns
os.environ["FACEMOOD_EXAMPLES"] = str(ROOT / "examples" / "photos")  # where notebooks find the sample photos

from jupyter_client.manager import KernelManager  # noqa: E402

import facemood  # noqa: E402
from scripts.command_reference import command_reference  # noqa: E402

if hasattr(KernelManager, "transport_encryption"):
    KernelManager.transport_encryption.default_value = "auto"  # newer kernels warn of what goes over loopback in clear

project = "facemood"
author = "The facemood developers"
version = release = facemood.__version__
root_doc = "docs/index"
include_patterns = [
    "*.md",
    "docs/*.md",
    "docs/models/*.md",
    "docs/notebooks/*.md",
    "docs/course/*.md",
    "benchmarks/*.md",
    "soft_labels/*.md",
    "web/*.md",
]
exclude_patterns = [".*", "node_modules", "src", "tests", "scripts", "dist", "build", "runs", "examples"]

extensions = ["sphinx.ext.autodoc", "sphinx.ext.autosummary", "sphinx.ext.napoleon", "myst_nb"]
default_role = "py:obj"
smartquotes = False  # two dashes begin an option

autodoc_default_options = {"members": True, "member-order": "bysource"}
autodoc_typehints = "signature"
autodoc_typehints_format = "short"
autosummary_generate = False
napoleon_attr_annotations = False
napoleon_numpy_docstring = False
napoleon_preprocess_types = False
toc_object_entries_show_parents = "hide"

myst_enable_extensions = ["html_image"]
myst_heading_anchors = 4
nb_execution_in_temp = True
nb_execution_mode = "auto"
nb_execution_raise_on_error = True
nb_execution_timeout = 600
nb_merge_streams = True

html_theme = "pydata_sphinx_theme"
html_title = "facemood"
html_logo = html_favicon = str(ROOT / "src" / "facemood" / "server" / "static" / "icon.svg")
html_static_path = ["static"]
html_css_files = ["site.css"]
templates_path = ["templates"]
html_additional_pages = {"index": "to-start.html"}
html_sidebars = {"**": ["pages.html"]}
html_copy_source = False
html_show_sourcelink = False
html_theme_options = {
    "logo": {"text": "facemood"},
    "navbar_center": [],
    "navbar_end": ["theme-switcher"],
    "navbar_persistent": ["search-button"],
    "secondary_sidebar_items": ["page-toc"],
    "footer_start": ["copyright"],
    "footer_end": [],
    "pygments_light_style": "a11y-high-contrast-light",
    "pygments_dark_style": "a11y-high-contrast-dark",
}
copyright = "The facemood developers, Apache-2.0"  # noqa: A001


def add_commands(app: Sphinx, name: str, source: list[str]) -> None:
    """Write the help texts of all commands below the page that introduces them."""
    if name == "docs/commands":
        source[0] += "\n" + command_reference()


def mend_tables(app: Sphinx, name: str, template: str, context: dict[str, Any], tree: object) -> None:
    """Make the empty heads of pandas' tables plain cells: a screen reader would announce a head without a name."""
    if "body" in context:
        context["body"] = context["body"].replace("<th></th>", "<td></td>")


def list_pages_once(app: Sphinx, name: str, template: str, context: dict[str, Any], tree: object) -> None:
    """Keep a page's list of all pages: the theme draws the sidebar twice, first to see whether it is empty."""
    if "toctree" in context:
        context["toctree"] = functools.cache(context["toctree"])


def setup(app: Sphinx) -> None:
    """Connect what the settings above cannot say."""
    app.connect("source-read", add_commands)
    app.connect("html-page-context", list_pages_once, priority=0)
    app.connect("html-page-context", mend_tables)

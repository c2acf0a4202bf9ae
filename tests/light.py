"""A pytest plugin for an environment with the core alone: it skips what needs an extra, and names the extra.

    python -m pytest -p tests.light

It deselects slow tests and those that need a dataset, a browser or a display, unless `-m` says otherwise. Property
tests try fewer examples. Without the plugin a missing package is an error, so that no test is skipped unnoticed where
all extras should be installed.
"""

from __future__ import annotations

from collections.abc import Generator
from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, settings

FAST = "not slow and not dataset and not browser and not display"
"""The marker expression of make test-fast and make coverage."""

settings.register_profile(
    "light",
    settings.get_profile("default"),
    max_examples=25,
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
)
settings.load_profile("light")

EXTRAS = {
    "distributed": "dask",
    "jupytext": "docs",
    "myst_nb": "docs",
    "sphinx": "docs",
    "dlib": "hog",
    "fastapi": "serve",
    "h5py": "backbones",
    "httpx": "dev",
    "kubernetes_validate": "dev",
    "lightning": "train",
    "lime": "explain",
    "matplotlib": "plot",
    "mss": "live",
    "onnx": "train",
    "onnxscript": "train",
    "optuna": "tune",
    "pandas": "data",
    "pillow_heif": "heic",
    "psutil": "dev",
    "s3fs": "places",
    "pyarrow": "data",
    "pygame": "live",
    "ray": "ray",
    "schemathesis": "dev",
    "skimage": "explain",
    "starlette": "serve",
    "timm": "backbones",
    "torch": "train",
    "torchvision": "backbones",
    "uvicorn": "serve",
    "websockets": "serve",
    "yaml": "dev",
}
"""Packages that the core does not install, and the extra that brings each."""


def missing_extra(error: object) -> str | None:
    """Return the optional package whose absence led to an error, or None when it has another cause."""
    name = (error.name or "").partition(".")[0] if isinstance(error, ModuleNotFoundError) else ""
    if name in EXTRAS:
        return name
    return next(filter(None, map(missing_extra, causes(error))), None)


def causes(error: object) -> list[object]:
    """What an error was raised from; pytest and doctest keep that in attributes of their own."""
    inner = getattr(error, "exc_info", (None, None, None))[1]  # an example of a docstring raised this
    many = getattr(error, "failures", [])  # several examples of one docstring failed
    found = [getattr(error, "cause", None), getattr(error, "__cause__", None), inner, *many]
    return [one for one in found if isinstance(one, BaseException)]


def skip_instead(
    report: pytest.TestReport | pytest.CollectReport, call: pytest.CallInfo[Any] | None, path: Path
) -> None:
    """Turn a failure into a skip when it comes from a package that is not installed."""
    name = missing_extra(call.excinfo.value) if call and call.excinfo else None
    if name is not None and report.outcome == "failed":
        report.outcome = "skipped"
        report.longrepr = (str(path), 0, f"Skipped: needs {name} (extra {EXTRAS[name]!r})")


def pytest_configure(config: pytest.Config) -> None:
    """Choose the fast tests, unless the command line chooses others."""
    config.option.markexpr = config.option.markexpr or FAST


@pytest.hookimpl(wrapper=True)
def pytest_make_collect_report(
    collector: pytest.Collector,
) -> Generator[None, pytest.CollectReport, pytest.CollectReport]:
    """Skip a file or folder whose imports need an extra."""
    report = yield
    skip_instead(report, vars(report).get("call"), collector.path)
    return report


@pytest.hookimpl(wrapper=True)
def pytest_runtest_makereport(
    item: pytest.Item, call: pytest.CallInfo[None]
) -> Generator[None, pytest.TestReport, pytest.TestReport]:
    """Skip a test that needs an extra while it runs."""
    report = yield
    skip_instead(report, call, item.path)
    return report

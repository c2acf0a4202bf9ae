import inspect

import pytest

from facemood import errors
from facemood.errors import FacemoodError, MissingExtraError, did_you_mean, require


def test_every_error_is_a_facemood_error() -> None:
    kinds = [kind for _, kind in inspect.getmembers(errors, inspect.isclass) if kind.__module__ == errors.__name__]
    assert len(kinds) == 16
    assert all(issubclass(kind, FacemoodError) for kind in kinds)


def test_the_message_for_a_missing_package_names_its_extra_and_the_fix() -> None:
    with pytest.raises(MissingExtraError, match=r"'no_such_package'.*extra 'train'.*pip install '\.\[train\]'"):
        require("no_such_package", extra="train")
    with pytest.raises(ImportError):
        require("no_such_package", extra="train")


def test_a_package_that_fails_while_it_is_imported_is_not_reported_as_missing(tmp_path, monkeypatch) -> None:  # type: ignore[no-untyped-def]
    (tmp_path / "broken_package.py").write_text("import what_it_needs")
    monkeypatch.syspath_prepend(tmp_path)
    with pytest.raises(ModuleNotFoundError, match="what_it_needs") as raised:
        require("broken_package", extra="train")
    assert not isinstance(raised.value, MissingExtraError)


def test_only_similar_words_are_suggested() -> None:
    assert did_you_mean("analize", ["analyze", "train"]) == " Did you mean 'analyze'?"
    assert did_you_mean("xyz", ["analyze", "train"]) == ""

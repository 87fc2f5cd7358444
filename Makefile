# Targets install what they need into .venv. They require Python 3.11 or newer and a package index.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
READY := $(VENV)/.ready
DEMO_READY := $(VENV)/.demo-ready
NODE_TOOLS := .cache/node-tools/.ready
FRAMEWORKS := .cache/frameworks/.ready
DOCS_TOOLS := .cache/docs-tools/.ready
# Always cache bytecode. Otherwise every process compiles all modules and tests again.
PYTEST := PYTHONDONTWRITEBYTECODE= $(BIN)/pytest -q
# Each file on one worker, in the order of the collection: files with processes first.
PARALLEL := --dist=loadfile --no-loadscope-reorder
PIP := -m pip install --quiet --disable-pip-version-check --no-compile
# Use uv if it is installed; `make UV= test` uses pip. Modules are compiled on first import, since most are never imported.
UV := $(shell uv --version > /dev/null 2>&1 && echo uv)
MAKE_VENV := $(if $(UV),uv venv --quiet --allow-existing --python $(PYTHON),$(PYTHON) -m venv)
INSTALL := $(if $(UV),uv pip install --quiet --python $(BIN)/python,$(BIN)/python $(PIP))
COMPILE := .cache/lock/bin/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-annotate --no-header

.PHONY: help demo demo-web test test-fast check format lint types audit conformance bundle docs bench lock clean

help: ## list the targets
	@sed -n 's/^\([a-z-]*\):[^#]*## \(.*\)/make \1\t\2/p' Makefile

demo: $(if $(wildcard $(READY)),$(READY),$(DEMO_READY)) ## run the demo: a complete job on the local backend, as an assistant does it
	$(BIN)/python -m demo

demo-web: $(if $(wildcard $(READY)),$(READY),$(DEMO_READY)) ## run the demo, leave a decision to you in a browser, and keep its pages open
	$(BIN)/python -m demo --web

test: $(READY) ## run all tests; they need only Python packages
	HYPOTHESIS_PROFILE=$(or $(HYPOTHESIS_PROFILE),full) $(PYTEST) --numprocesses=3 $(PARALLEL) --ignore=tests/conformance

test-fast: $(READY) ## run the tests that start no process
	$(PYTEST) --numprocesses=2 $(PARALLEL) --ignore=tests/conformance -m "not processes"

check: lint types audit test docs conformance demo ## run everything that must pass

lint: $(READY)
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .

audit: $(READY) ## check the pinned dependencies for known vulnerabilities
	$(BIN)/python scripts/audit.py

types: $(READY)
	$(BIN)/mypy

conformance: $(READY) $(NODE_TOOLS) $(FRAMEWORKS) ## run the MCP conformance scenarios and real clients, from npm and the package index
	$(PYTEST) --numprocesses=2 $(PARALLEL) tests/conformance

bundle: $(READY) ## build dist/tfruns-VERSION.mcpb, an MCP bundle for Claude Desktop
	@$(BIN)/python scripts/build_bundle.py

docs: $(READY) $(DOCS_TOOLS) ## build the documentation in .cache/site; a broken link is an error
	$(BIN)/python scripts/generate_docs.py --check
	.cache/docs-tools/bin/sphinx-build -q -W --keep-going -b html docs .cache/site

format: $(READY) ## format the code
	$(BIN)/ruff format .
	$(BIN)/ruff check --fix .

bench: $(READY) ## run the benchmarks of docs/benchmarks.md
	$(BIN)/python -m bench

$(READY): pyproject.toml requirements-dev.txt
	@$(call set_up,requirements-dev.txt,tfruns and its development tools)
	@touch $@

$(DEMO_READY): pyproject.toml requirements-demo.txt
	@$(call set_up,requirements-demo.txt,tfruns)
	@touch $@

define set_up
set -e; \
$(PYTHON) -c 'import sys; sys.exit("tfruns requires Python 3.11 or newer; this is %s. Use another one: make PYTHON=python3.x" % sys.version.split()[0] if sys.version_info < (3, 11) else 0)'; \
$(if $(UV),,$(PYTHON) -c 'import ensurepip, venv' 2> /dev/null || { echo 'This Python has no venv module. On Debian, run: apt install python3-venv' >&2; exit 1; };) \
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

# Their dependencies exclude each other, and those of tfruns.
$(FRAMEWORKS): $(READY) tests/conformance/frameworks/mcp1.txt tests/conformance/frameworks/mcp2.txt
	@$(foreach name,mcp1 mcp2,$(call set_up_framework,$(name)) &&) touch $@

set_up_framework = $(if $(UV),uv venv --quiet --allow-existing --python $(BIN)/python,$(BIN)/python -m venv) .cache/frameworks/$(1) \
	&& $(if $(UV),uv pip install --quiet --python .cache/frameworks/$(1)/bin/python,.cache/frameworks/$(1)/bin/python $(PIP)) \
	--require-hashes -r tests/conformance/frameworks/$(1).txt

lock: ## update all pins within the ranges of pyproject.toml
	rm -rf .cache/lock && $(PYTHON) -m venv .cache/lock
	.cache/lock/bin/python $(PIP) uv
	$(COMPILE) pyproject.toml --extra local --extra postgresql --extra passkey -o requirements.txt
	$(COMPILE) pyproject.toml --extra local --extra postgresql --extra passkey requirements-dev.in -c requirements.txt -o requirements-dev.txt
	$(COMPILE) requirements-build.in -c requirements-dev.txt -o requirements-build.txt
	$(COMPILE) pyproject.toml --extra local requirements-build.in -c requirements-dev.txt -c requirements-build.txt -o requirements-demo.txt
	$(COMPILE) requirements-docs.in -o requirements-docs.txt
	$(COMPILE) tests/conformance/frameworks/mcp1.in -o tests/conformance/frameworks/mcp1.txt
	$(COMPILE) tests/conformance/frameworks/mcp2.in -o tests/conformance/frameworks/mcp2.txt

clean: ## delete everything that the targets installed and built
	rm -rf $(VENV) .cache .mypy_cache .pytest_cache .ruff_cache .import_linter_cache .hypothesis

# Everything here needs only make and Python 3.11 to 3.14; whatever else it takes, it puts into .venv.
# Works with GNU make 3.81 and a BSD userland (macOS): no .ONESHELL, no GNU-only options.

.DEFAULT_GOAL := help
SHELL := /bin/sh

VENV := .venv
BIN := $(VENV)/bin
INSTALLED := $(VENV)/.installed
PYTEST := $(BIN)/python -m pytest
# Tests of an API in their own process: they may run side by side, those of whole stacks may not.
FRONTS := $(patsubst %/__init__.py,%,$(wildcard tests/e2e/*/__init__.py))

USABLE := import ensurepip, ssl, sys, venv; sys.exit(not (3, 11) <= sys.version_info[:2] <= (3, 14))
# The interpreter to build .venv with; `make PYTHON=/path/to/python3.12 …` chooses another.
PYTHON := $(shell for python in python3.13 python3.12 python3.11 python3; do \
	$$python -c '$(USABLE)' >/dev/null 2>&1 && echo $$python && break; done)

NO_PYTHON := No usable Python found. Muster needs Python 3.11 to 3.14 with the venv module; \
	install it (Debian: apt-get install python3-venv; macOS: brew install python@3.13), \
	or name one: make PYTHON=/path/to/python3.12

# A .venv that was moved here, or whose interpreter has gone, is made anew.
_ := $(shell { [ "$$(cat $(INSTALLED))" = "$$(pwd)" ] && $(BIN)/python -c ''; } 2>/dev/null || rm -f $(INSTALLED))

# So is one of another interpreter than the one that was asked for.
ifeq ($(origin PYTHON),command line)
ifneq ($(shell $(PYTHON) -c '$(USABLE)' >/dev/null 2>&1 && echo usable),usable)
$(error $(PYTHON) is not usable: Muster needs Python 3.11 to 3.14 with the venv module)
endif
WHICH := import sys; print(sys.base_prefix, sys.version)
_ := $(shell [ "$$($(PYTHON) -c '$(WHICH)')" = "$$($(BIN)/python -c '$(WHICH)' 2>&1)" ] || rm -f $(INSTALLED))
endif

.PHONY: help demo up test test-all lint bench bench-large lock clean

help: ## Show this list
	@awk 'BEGIN { FS = ":.*## " } /^[a-z-]+:.*## / { printf "make %-12s %s\n", $$1, $$2 }' Makefile

demo: $(INSTALLED) ## See a million contacts put on fifty lists (DEMO_CONTACTS=10000 for a smaller run)
	@$(BIN)/muster demo

up: $(INSTALLED) ## Run the whole stack in the foreground until Ctrl-C
	@$(BIN)/muster up

test: $(INSTALLED) ## Run all tests, on embedded servers
	$(PYTEST) -n 2 tests/unit tests/integration $(FRONTS)
	$(PYTEST) $(wildcard tests/e2e/test_*.py) tests/faults

test-all: test ## Run all tests, then the integration tests against Debian's PostgreSQL 15
	tests/postgres15.sh

lint: $(INSTALLED) ## Check style, format, types and layers
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

bench: $(INSTALLED) ## Measure the speed, ours beside the baselines
	@$(BIN)/python -m tests.bench

bench-large: $(INSTALLED) ## The same with ten million contacts
	@$(BIN)/python -m tests.bench --large

# uv reads no configuration of pip, so the hashes are those of the public index; --no-config keeps its own out.
lock: ## Pin what pyproject.toml asks for in requirements.lock (UPGRADE=--upgrade takes newer versions)
	@[ -n "$(PYTHON)" ] || { echo "$(NO_PYTHON)" >&2; exit 1; }
	@tools=$$(mktemp -d) && trap 'rm -rf "$$tools"' EXIT && \
	$(PYTHON) -m venv "$$tools" && "$$tools/bin/pip" install --quiet uv && \
	"$$tools/bin/uv" pip compile pyproject.toml --quiet --no-config --universal --python-version 3.11 \
		--all-extras --generate-hashes --no-emit-index-url --no-emit-find-links \
		--custom-compile-command "make lock" $(UPGRADE) --output-file requirements.lock

clean: ## Remove .venv, builds and caches; the data in .muster stays
	rm -rf $(VENV) build dist .hypothesis .import_linter_cache .mypy_cache .pytest_cache .ruff_cache
	find engine workers api deploy tests -name __pycache__ -type d -prune -exec rm -rf {} +

$(INSTALLED): requirements.lock pyproject.toml
	@[ -n "$(PYTHON)" ] || { echo "$(NO_PYTHON)" >&2; exit 1; }
	@echo "Installing Muster into $(VENV) with $(PYTHON) (once; needs the network)"
	@[ -e $@ ] || $(PYTHON) -m venv --clear $(VENV)
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r requirements.lock
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --no-deps --no-build-isolation -e .
	@pwd > $@

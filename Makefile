# Everything starts here. A new machine needs Python 3.11 or later (with venv) and make; the environment is .venv.
#
#   make demo    two programs on loopback: orders out, answers, despatch advice and invoices back   ARGS=--json
#   make serve   the gateway, until SIGTERM or Ctrl-C                                               ARGS="--port 9000"
#   make test    ruff, mypy, import-linter, pytest                                                  ARGS=tests/core
#   make test-postgresql   the tests of store and services again, on a real PostgreSQL              ARGS=tests/store
#   make lint    the first three of them
#   make conformance   run the tests that hold items of the AS2 checklist; writes docs/as2-conformance.md
#   make crash   SIGKILL to either side at random moments under load; counts what is lost or doubled   ARGS="--kills 200"
#   make fuzz    coverage-guided fuzzing of all that reads what strangers send                      ARGS="cms --seconds 600"
#   make bench   a benchmark with its peers, as JSON                                                ARGS="as2 --json"
#   make audit   bill of materials (build/sbom.json), and known holes in what is locked (asks an advisory service)
#   make lock    choose the locked versions anew
#   make clean   remove .venv and caches; keeps data/
#
# What is installed is fixed by the lock files, with hashes; the stamps in .venv say that it is, so that a second run
# starts at once. Install noise goes to stderr: the output of a command stays its own. (With `make -C` give -s as well,
# or make itself prints where it is.)

.DEFAULT_GOAL := help
.PHONY: help demo serve test test-postgresql lint conformance crash fuzz bench audit lock clean

PYTHONS := python3 python3.14 python3.13 python3.12 python3.11
PYTHON ?= $(shell for python in $(PYTHONS); do \
	$$python -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && echo $$python && break; done)
BIN := .venv/bin
PIP := $(BIN)/python -m pip --quiet --disable-pip-version-check --no-input
ARGS ?=

help:
	@sed -n 's/^#   //p' Makefile

demo: .venv/installed
	@$(BIN)/edi-gateway demo $(ARGS)

serve: .venv/installed
	@exec $(BIN)/edi-gateway serve $(ARGS)

bench: .venv/installed-dev
	@$(BIN)/python -m benchmarks $(or $(ARGS),edifact)

lint: .venv/installed-dev
	@$(BIN)/ruff check
	@$(BIN)/ruff format --check
	@$(BIN)/mypy
	@$(BIN)/lint-imports

conformance: .venv/installed-dev
	@$(BIN)/python -m pytest --conformance=docs/as2-conformance.md -q $(ARGS)

crash: .venv/installed-dev
	@$(BIN)/python -m tests.crash $(ARGS)

fuzz: .venv/installed-fuzz
	@$(BIN)/python -m tests.fuzz $(ARGS)

test: lint
	@$(BIN)/python -m pytest $(ARGS)

test-postgresql: .venv/installed-dev
	@$(BIN)/python -m pytest --database=postgresql $(or $(ARGS),tests/store tests/gateway)

.venv/made:
	@test -n "$(PYTHON)" || { echo "make: no Python 3.11 or later found; install one, or: make PYTHON=/path/to/python3" >&2; exit 1; }
	@echo "making .venv with $(PYTHON) ..." >&2
	@$(PYTHON) -m venv .venv >&2
	@touch $@

.venv/installed: .venv/made requirements.lock setup.cfg pyproject.toml
	@echo "installing edi-gateway and what it needs (requirements.lock) ..." >&2
	@$(PIP) install --require-hashes -r requirements.lock >&2
	@$(PIP) install --no-build-isolation --no-deps --editable . >&2
	@touch $@

.venv/installed-dev: .venv/installed requirements-dev.lock
	@echo "installing what the tests need (requirements-dev.lock) ..." >&2
	@$(PIP) install --require-hashes -r requirements-dev.lock >&2
	@touch $@

.venv/installed-fuzz: .venv/installed-dev requirements-fuzz.lock
	@echo "installing the fuzzer (requirements-fuzz.lock) ..." >&2
	@$(PIP) install --require-hashes -r requirements-fuzz.lock >&2
	@touch $@

# The auditor lives in an environment of its own: it is no part of what is installed anywhere.
AUDITOR := .venv-audit/bin
audit: .venv/installed
	@mkdir -p build
	@$(BIN)/python packaging/sbom.py requirements.lock > build/sbom.json
	@echo "build/sbom.json: what requirements.lock names" >&2
	@test -x $(AUDITOR)/pip-audit || { $(PYTHON) -m venv .venv-audit && $(AUDITOR)/pip install --quiet --disable-pip-version-check pip-audit; } >&2
	@$(AUDITOR)/pip-audit --strict --disable-pip --require-hashes -r requirements.lock $(ARGS) || { \
		echo "make audit: not clean, or the advisory service cannot be reached from here (see above); nothing was shown to be safe" >&2; exit 1; }

# uv resolves for every platform and Python at once. It is needed only here, in an environment that is thrown away.
# The development lock comes first and binds the other one, so that both name the same versions.
COMPILE = uv pip compile setup.cfg --extra build --generate-hashes --no-header --universal --python-version 3.11 --quiet
lock:
	@folder=$$(mktemp -d) && trap 'rm -rf "$$folder"' EXIT && $(PYTHON) -m venv "$$folder" >&2 \
		&& "$$folder/bin/pip" install --quiet --disable-pip-version-check uv >&2 && PATH="$$folder/bin:$$PATH" \
		&& $(COMPILE) --extra dev --output-file requirements-dev.lock >&2 \
		&& $(COMPILE) --constraint requirements-dev.lock --output-file requirements.lock >&2 \
		&& $(COMPILE) --extra fuzz --constraint requirements-dev.lock --output-file requirements-fuzz.lock >&2

clean:
	@rm -rf .venv .venv-audit build dist edi_gateway.egg-info .mypy_cache .ruff_cache .import_linter_cache .hypothesis .pytest_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

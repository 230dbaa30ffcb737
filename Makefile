# Every target does its own set-up; a recipe that runs something ends in one exec'd command, so signals reach it.
PYTHON ?= python3
VENV ?= .venv
PIP = $(VENV)/bin/python -m pip --disable-pip-version-check --quiet
RUNS ?= 100

.PHONY: up test lint bench crash lock clean

up: $(VENV)/.runtime
	@exec $(VENV)/bin/taxplane demo $(ARGS)

test: lint
	@exec $(VENV)/bin/python -m pytest -n 2 --dist loadgroup $(ARGS)

lint: $(VENV)/.dev
	@exec sh tests/lint.sh

bench: $(VENV)/.dev
	@exec $(VENV)/bin/python -m tests.bench $(ARGS)

crash: $(VENV)/.dev
	@exec $(VENV)/bin/python -m tests.crash --runs $(RUNS) $(ARGS)

lock:
	@exec sh tests/lock.sh

clean:
	@exec rm -rf $(VENV) .pytest_cache .mypy_cache .ruff_cache .import_linter_cache

$(VENV)/bin/python:
	@$(PYTHON) -m venv $(VENV) 1>&2

$(VENV)/.runtime: requirements.lock pyproject.toml | $(VENV)/bin/python
	@echo "taxplane: installing run-time packages into $(VENV)" 1>&2
	@$(PIP) install --require-hashes -r requirements.lock 1>&2
	@$(PIP) install --no-deps --no-build-isolation -e . 1>&2
	@touch $@

$(VENV)/.dev: requirements-dev.lock pyproject.toml | $(VENV)/bin/python
	@echo "taxplane: installing run-time and test packages into $(VENV)" 1>&2
	@$(PIP) install --require-hashes -r requirements-dev.lock 1>&2
	@$(PIP) install --no-deps --no-build-isolation -e . 1>&2
	@touch $@ $(VENV)/.runtime

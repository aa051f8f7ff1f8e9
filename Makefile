# make nightly   set up, make the synthetic province and its departments on loopback, run the nightly check through
#                Airflow, say where to look
# make test      set up and run every test
# make setup     only set up; .venv/bin/hedui is the command line
# make check     read-only: format, lint, types, import contracts       make fix   format and lint, writing
# make portal    the county desk on the nights under var/               make bench, make bench-province
# make clean     remove the environment and everything under var/
#
# Wanted: Linux, make and python3 >= 3.11 with pip. PYTHON=python3.12 chooses another one.

PYTHON ?= python3
AS_OF ?= 2026-06-30
HOUSEHOLDS ?= 400
WORKERS ?= 2
PYTEST ?=

VENV := .venv
PY := $(VENV)/bin/python
UV := $(VENV)/uv/bin/uv
UV_VERSION := 0.13.9
READY := $(VENV)/.ready
BENCH_VENV := .venv-bench
VAR := $(CURDIR)/var
OUT := $(VAR)/out
TYPED := connectors pipelines policy expectations sample_data portal

.PHONY: setup nightly test check fix portal bench bench-province clean
.DELETE_ON_ERROR:
# Compiled modules are kept: without them every start of Python costs seconds.
unexport PYTHONDONTWRITEBYTECODE

setup: $(READY)

$(READY): requirements.lock pyproject.toml
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || \
	  { echo "make setup: $$($(PYTHON) --version 2>&1) found; wanted Python >= 3.11: make setup PYTHON=python3.11" >&2; exit 1; }
	@$(PYTHON) -m pip --version >/dev/null || \
	  { echo "make setup: $(PYTHON) has no pip; install it (apt-get install python3-pip) and try again" >&2; exit 1; }
	@echo "setup: the packages of requirements.lock into $(VENV) (about 1 GB; a minute or two the first time)"
	@$(PYTHON) -m venv --without-pip $(VENV)
	@test -x $(UV) || $(PYTHON) -m pip install --quiet --disable-pip-version-check --root-user-action ignore --target $(VENV)/uv uv==$(UV_VERSION)
	@$(UV) pip sync --quiet --python $(PY) requirements.lock
	@$(UV) pip install --quiet --python $(PY) --no-deps --editable .
	@$(PY) -m pipelines.intake.compile_loops
	@touch $@
	@echo "setup: done; the command line is $(VENV)/bin/hedui"

nightly: $(READY)
	@test -f $(VAR)/feeds/roster/receipt.json || \
	  $(VENV)/bin/hedui sample --output $(VAR)/feeds --households $(HOUSEHOLDS) --as-of $(AS_OF) --departments all
	@$(PY) -m dags.embedded --airflow $(VAR)/airflow --as-of $(AS_OF) --feeds $(VAR)/feeds --home $(VAR)/home --out $(OUT) \
	  --departments

test: $(READY)
	@command -v chromium >/dev/null || command -v chromium-browser >/dev/null || \
	  echo "test: no chromium here, so the tests in a browser are skipped (apt-get install chromium fonts-noto-cjk)" >&2
	@$(PY) -m pytest -n $(WORKERS) $(PYTEST)

check: $(READY)
	@$(VENV)/bin/ruff format --check .
	@$(VENV)/bin/ruff check .
	@$(VENV)/bin/mypy $(TYPED)
	@$(VENV)/bin/lint-imports --no-cache

fix: $(READY)
	@$(VENV)/bin/ruff check --fix .
	@$(VENV)/bin/ruff format .

portal: $(READY)
	@HEDUI_HOME=$${HEDUI_HOME:-$(VAR)/home} $(PY) -m portal demo

# What is compared with lives in an environment of its own: pyspark beside the gates can end a night.
bench bench-province: $(READY)
	@test -x $(BENCH_VENV)/bin/python || $(UV) venv --quiet --python $(PY) $(BENCH_VENV)
	@$(UV) pip sync --quiet --python $(BENCH_VENV)/bin/python bench/requirements.lock
	@$(BENCH_VENV)/bin/python -m bench $(if $(filter bench-province,$@),--province)

clean:
	rm -rf $(VENV) $(BENCH_VENV) $(VAR) build *.egg-info .pytest_cache .mypy_cache .ruff_cache .import_linter_cache .hypothesis
	find . -name __pycache__ -type d -prune -exec rm -rf {} +

# Two commands matter: `make app` and `make test`. Both make their own environment in .venv, and make it
# anew only when the lock changes.

PYTHON ?= python3
PORT ?= 8501
WORKERS ?= 2
VENV := .venv
BIN := $(VENV)/bin

APP_STAMP := $(VENV)/installed$(if $(GPU),-gpu)
DEV_STAMP := $(VENV)/installed-dev
BENCH_STAMP := $(VENV)/installed-bench

export PIP_DISABLE_PIP_VERSION_CHECK := 1
export TF_CPP_MIN_LOG_LEVEL ?= 2

.PHONY: app env test test-full bench check fix clean help

help: ## list the commands
	@grep -E '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 12

app: $(APP_STAMP) ## start the app on http://localhost:8501 (PORT=… for another port, GPU=1 for CUDA)
	@test -d "$${BLOODAPP_HOME:-workspace}/datasets" || $(BIN)/python -m bloodapp import sample
	$(BIN)/python -m streamlit run app.py --server.port $(PORT)

env: $(DEV_STAMP) ## make the environment for tests and checks, and nothing else

test: $(DEV_STAMP) ## run all tests, those in a real browser included
	$(BIN)/python -m pytest -n $(WORKERS) --dist loadfile --no-loadscope-reorder

test-full: $(DEV_STAMP) ## what takes minutes: every network trains a step, twenty trainings stopped at random
	$(BIN)/python -m pytest tests/full

bench: $(BENCH_STAMP) ## measure what the README claims
	$(BIN)/python -m pytest tests/benchmarks -o python_files='bench_*.py' -s

check: $(DEV_STAMP) ## style and types
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy

fix: $(DEV_STAMP) ## mend what style can mend by itself
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

clean: ## remove the environment
	rm -rf $(VENV)

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is needed: make PYTHON=python3.11 …")'
	$(PYTHON) -m venv $(VENV)

# A stamp is newer than the lock it was made from.
$(VENV)/installed: requirements.lock | $(BIN)/python
	$(BIN)/pip install --quiet -r requirements.lock
	@touch $@

$(VENV)/installed-gpu: $(VENV)/installed
	$(BIN)/pip install --quiet -c requirements.lock "tensorflow[and-cuda]"
	@touch $@

$(DEV_STAMP): $(VENV)/installed requirements-dev.txt
	$(BIN)/pip install --quiet -c requirements.lock -r requirements-dev.txt
	@touch $@

$(BENCH_STAMP): $(DEV_STAMP) requirements-bench.txt
	$(BIN)/pip install --quiet --no-deps -r requirements-bench.txt
	@touch $@

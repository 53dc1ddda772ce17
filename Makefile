# make run    the app (without a terminal: a short headless training run)
# make test   the whole test suite
# make lint   ruff, mypy and the import contracts
# make snapshots  the tests' texts of all screens anew, to be looked at before they are committed
# make bench  side-by-side measurements
# make bench-gpu  the backends' contract on the GPU, how fast each device trains, and what would be faster
# make stress long torture tests (STRESS_SUITE_RUNS=10: so often the whole suite under full load; 0: not at all)
PYTHON ?= python3
BIN := .venv/bin
EPOCHS ?= 3

.PHONY: run test snapshots lint format bench bench-gpu stress clean
.DEFAULT_GOAL := run

$(BIN)/python:
	$(PYTHON) -m venv .venv

.venv/.installed: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[all]'
	@touch $@

.venv/.installed-dev: pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -e '.[all,dev]'
	@touch .venv/.installed $@

run: .venv/.installed
	@if [ -t 0 ] && [ -t 1 ]; then $(BIN)/mnist-tui; else $(BIN)/mnist-tui train --epochs $(EPOCHS); fi

test: .venv/.installed-dev
	$(BIN)/python -m pytest -n auto --dist loadfile

snapshots: .venv/.installed-dev
	$(BIN)/python -m pytest tests/tui/test_snapshots.py --update-snapshots

lint: .venv/.installed-dev
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

format: .venv/.installed-dev
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .

bench: .venv/.installed-dev
	$(BIN)/python -m benchmarks

bench-gpu: .venv/.installed-dev
	$(BIN)/python -m pytest -m gpu
	$(BIN)/mnist-tui bench
	$(BIN)/python -m benchmarks.variants

stress: .venv/.installed-dev
	$(BIN)/python -m pytest -m stress tests/stress

clean:
	rm -rf .venv build dist *.egg-info .pytest_cache .mypy_cache .ruff_cache

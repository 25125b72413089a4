# Every target sets up what it needs in .venv: a fresh clone with python3 (>= 3.11) and a C compiler is enough.
PYTHON ?= python3
VENV   := .venv
BIN    := $(VENV)/bin
STAMP  := $(VENV)/.dev-installed
BUILT  := $(VENV)/.built
C_SRC  := $(wildcard csrc/*.c csrc/*.h)
CY_SRC := $(wildcard csrc/*.pyx csrc/*.pxd)

.DEFAULT_GOAL := help
.PHONY: help demo test test-all bench lint format docs build clean

help:            ## this list
	@grep -E '^[a-z-]+: .*##|^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed 's/:.*##/\t/' | expand -t 16

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --upgrade pip

$(STAMP): pyproject.toml | $(BIN)/python
	$(BIN)/python -m pip install --quiet --group dev
	@touch $@

# one quiet editable install; the extensions are compiled in place
$(BUILT): $(STAMP) setup.py fastdiv/_version.py $(C_SRC) $(CY_SRC)
	$(BIN)/python -m pip install --quiet --no-build-isolation --no-deps --editable .
	@touch $@

build: $(BUILT)  ## compile the extensions in place

demo: $(BUILT)   ## New York flights of 2013: winter against summer
	$(BIN)/fastdiv compare examples/data/flights_winter.parquet examples/data/flights_summer.parquet

test: $(BUILT)   ## the tests, under 5 minutes on 2 cores
	$(BIN)/python -m pytest -m "not slow"

test-all: $(BUILT) ## the tests and the long battery
	$(BIN)/python -m pytest

bench: $(BUILT)  ## ratios against NumPy, SciPy, NumKong and fastjsd, interleaved in one run
	$(BIN)/python -m pip install --quiet --group bench
	$(BIN)/python -m bench

lint: $(STAMP)   ## ruff, mypy, cython-lint, clang-format
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/cython-lint csrc
	$(BIN)/clang-format --dry-run --Werror csrc/*.c csrc/*.h

format: $(STAMP) ## let the formatters have their way
	$(BIN)/ruff check --fix . || true
	$(BIN)/ruff format .
	$(BIN)/clang-format -i csrc/*.c csrc/*.h

clean:           ## everything that make made
	rm -rf build dist *.egg-info $(VENV) fastdiv/*.so .pytest_cache .mypy_cache .ruff_cache

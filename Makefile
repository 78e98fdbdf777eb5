# The daily habits. `make setup` once; everything runs in .venv.
PYTHON ?= python3.11
BIN := .venv/bin

.PHONY: setup tag test lint train evaluate clean

setup: .venv/ready

.venv/ready: pyproject.toml
	$(PYTHON) -m venv .venv
	$(BIN)/pip install -q -e '.[train,dev]'
	touch $@

tag: setup
	$(BIN)/reclamo tag data/samples/inbox.mbox --format table

test: setup
	$(BIN)/pytest

lint: setup
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/mypy
	$(BIN)/lint-imports

train: setup
	for step in teacher first second third fourth fifth sixth seventh eighth ninth tenth eleventh twelfth thirteenth fourteenth fifteenth sixteenth seventeenth small tiny-first tiny-second tiny; do $(BIN)/python train.py --config configs/$$step.toml || exit; done

evaluate: setup
	$(BIN)/python evaluate.py --model models/reclamo-small --data data

clean:
	rm -rf runs reports dist build .pytest_cache .mypy_cache .ruff_cache

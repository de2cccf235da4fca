# Everything runs in .venv, which is made on first use from pyproject.toml and
# constraints.txt. Python and make are all that is needed.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
INSTALL := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt
# Two test processes with one thread each: OpenMP is slow where threads outnumber cores.
PYTEST := OMP_NUM_THREADS=1 $(BIN)/python -m pytest -q -n 2

.PHONY: demo paper test slow lint docs check clean

demo: $(VENV)/.installed  # the whole pipeline on handwritten digits
	$(BIN)/simplicert demo

paper: $(VENV)/.installed  # the paper's figures and tables, from results/ alone
	$(BIN)/python results/paper -o paper

test: $(VENV)/.installed-dev  # the everyday suite
	$(PYTEST) -m "not slow"

slow: $(VENV)/.installed-dev  # what is too heavy for every day
	$(PYTEST) -m slow

lint: $(VENV)/.installed-dev  # format, style, types, import layers
	$(BIN)/ruff format --check
	$(BIN)/ruff check
	$(BIN)/mypy
	$(BIN)/lint-imports

docs: $(VENV)/.installed-dev  # HTML in docs/_build
	$(BIN)/sphinx-build -q -W --keep-going docs docs/_build

check: lint test slow docs  # all of it; what CI runs

clean:
	rm -rf $(VENV) docs/_build demo paper .mypy_cache .ruff_cache .pytest_cache .hypothesis

$(BIN)/python:
	$(PYTHON) -m venv $(VENV)

$(VENV)/.installed: pyproject.toml constraints.txt | $(BIN)/python
	$(INSTALL) --editable '.[all]'
	touch $@

$(VENV)/.installed-dev: $(VENV)/.installed
	$(INSTALL) --editable '.[all,dev]'
	touch $@

# make demo     the example board with 4 workers on http://127.0.0.1:8000
# make test     everything: system packages, the built wheel, lint, types, tests in both forms
# make fuzz     a million damaged requests, read by both our parsers and by others; FUZZ_SEED repeats a run
# make bench    the server and its peers side by side, for over an hour, into the documentation; ARGS=--quick for a look
# make lint     format, lint and types alone
# make wheels   what is published: compiled for each Python and libc, one of plain Python, and the sources
# make image    a container image of the board; ENGINE=podman if there is no docker
# make clean    forget all that was built
#
# PYTHON names the interpreter, 3.10 or later; ARGS are more arguments for pytest or the benchmark.
# Without a C compiler there is plain Python code alone: make test SPEEDUPS=0.

PYTHON ?= python3
PORT ?= 8000
VENV ?= .venv
ENGINE ?= docker
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip --disable-pip-version-check --quiet

# The forms of the package that are tested: 1 is compiled, 0 plain Python.
# The first takes all tests, another only those that it could answer differently (tests/support/forms.py).
SPEEDUPS := 1 0

FUZZ_INPUTS ?= 1000000
FUZZ_SEED ?= $(shell date +%s)

SOURCES := pyproject.toml setup.cfg .build/backend.py $(shell find greenserve -name '*.py' -o -name '*.pxd' -o -name '*.pyx')
BOARD := examples/flask_board
EXAMPLES := $(wildcard examples/*/requirements.txt)
NO_DEPS := tests/judges/no-deps.txt

.PHONY: demo test fuzz bench lint packages image wheels clean
.DELETE_ON_ERROR:
.NOTPARALLEL:

demo: $(VENV)/installed $(VENV)/board-requirements
	@sed 's/@PORT@/$(PORT)/g' $(BOARD)/TRY
	@cd $(BOARD) && exec $(abspath $(BIN))/greenserve --workers 4 --bind 127.0.0.1:$(PORT) app:app

# The wheel is built as the first of them wants it, and says why if it cannot be.
test: export GREENSERVE_SPEEDUPS = $(firstword $(SPEEDUPS))
test: packages lint $(SPEEDUPS:%=test-speedups-%)

# Without pythonpath the tests import what was installed, the built wheel, and not the checkout.
test-speedups-%: $(VENV)/installed $(VENV)/test-requirements
	GREENSERVE_SPEEDUPS=$* $(BIN)/pytest -o pythonpath= $(if $(filter-out $(firstword $(SPEEDUPS)),$*),-m 'not one_form') $(ARGS)

fuzz: $(VENV)/test-requirements
	FUZZ_INPUTS=$(FUZZ_INPUTS) FUZZ_SEED=$(FUZZ_SEED) $(BIN)/pytest -o pythonpath= tests/protocol/test_differential.py tests/protocol/test_twins.py $(ARGS)

lint: $(VENV)/test-requirements
	$(BIN)/ruff format --check .
	$(BIN)/ruff check .
	$(BIN)/mypy

bench:
	$(PYTHON) -m bench $(or $(ARGS),--document)

packages:
	.ci/install-packages $(PYTHON)
	.build/install-compiler $(PYTHON)

image:
	$(ENGINE) build --target board --tag greenserve-board .

# cibuildwheel compiles in the containers of manylinux and musllinux, with $(ENGINE).
wheels: $(VENV)/created
	$(PIP) install build cibuildwheel
	GREENSERVE_SPEEDUPS=0 $(BIN)/python -m build --outdir wheelhouse
	CIBW_CONTAINER_ENGINE=$(ENGINE) $(BIN)/cibuildwheel --platform linux --output-dir wheelhouse

clean:
	rm -rf $(VENV) .venv-bench build dist wheelhouse artifacts *.egg-info .tox .mypy_cache .pytest_cache .ruff_cache .hypothesis $(BOARD)/instance
	find . -name __pycache__ -prune -exec rm -rf {} +
	find greenserve -name '*.so' -delete

# What is below makes the environment. Each file is touched when its step is done,
# and a change of setup.cfg starts again from nothing.

$(VENV)/created: setup.cfg
	.ci/create-venv $(PYTHON) $(VENV)
	touch $@

$(VENV)/installed: $(VENV)/created $(SOURCES)
	rm -rf dist
	@echo "Building greenserve; to compile it takes a minute."
	$(PIP) wheel --no-deps --wheel-dir dist .
	$(PIP) --quiet uninstall --yes greenserve
	$(PIP) install dist/greenserve-*.whl
	touch $@

$(VENV)/board-requirements: $(VENV)/created $(BOARD)/requirements.txt
	$(PIP) install --requirement $(BOARD)/requirements.txt
	touch $@

$(VENV)/test-requirements: $(VENV)/installed $(EXAMPLES) $(NO_DEPS)
	$(PIP) install "$$(echo dist/greenserve-*.whl)[judges,lint]" $(EXAMPLES:%=--requirement %)
	$(PIP) install --no-deps --requirement $(NO_DEPS)
	touch $@

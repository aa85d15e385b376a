# The commands of a new user: `make demo`, `make test`, `make dev`, `make check`, `make bench`, `make image`.

PYTHON ?= python3
BIN := .venv/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check --constraint constraints.txt

.PHONY: demo dev test test-slow check bench image clean

demo: .venv/installed-local
	$(BIN)/python -m govbr_assets.local demo

# With DELAY=0.15 the Hub and its viewer are 150 ms away; with PORT=3001 the UI is at another port.
DELAY ?= 0
PORT ?= 3000
dev: .venv/installed-local
	$(BIN)/python -m govbr_assets.local dev --delay $(DELAY) --port $(PORT)

test: .venv/installed-test
	$(BIN)/python -m pytest -n 3 --dist worksteal -m "not slow"  # on two cores: a quarter of it is waiting for servers

test-slow: .venv/installed-test
	$(BIN)/python -m pytest -n 3 --dist worksteal -m slow

check: .venv/installed-test
	$(BIN)/python -m ruff check
	$(BIN)/python -m ruff format --check
	$(BIN)/python -m pyright
	$(BIN)/python -m dagster definitions validate --module-name govbr_assets.definitions --log-level warning

# All of them take several hours; `make bench BENCH=existing_ids` takes three minutes. With AGAINST=REVISION each is
# measured by turns with the product of that revision.
BENCH ?=
AGAINST ?=
bench: .venv/installed-test
	$(BIN)/python -m govbr_assets_tests.benchmarks $(if $(AGAINST),--against $(AGAINST)) $(BENCH)

# Builds deploy/Dockerfile without Docker, and runs it. Needs root, and buildah and mmdebstrap, which are Debian packages.
image: .venv/installed-test
	$(BIN)/python -m pytest govbr_assets_tests/image --capture=no --timeout=1200

clean:
	rm -rf .venv .local build *.egg-info

.venv/bin/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11))' || { echo "Python 3.11 or newer is needed: make PYTHON=python3.12 ..."; exit 1; }
	$(PYTHON) -m venv .venv

.venv/installed-local: .venv/bin/python pyproject.toml constraints.txt
	@echo "Installing into .venv (a minute the first time) ..."
	$(PIP) --editable '.[local]'
	@touch $@

.venv/installed-test: .venv/bin/python pyproject.toml constraints.txt
	@echo "Installing into .venv with the test tools (a minute or two the first time) ..."
	$(PIP) --editable '.[test]'
	@touch $@

# Everything here works on a fresh machine with Python 3.11+, make and git.
.DEFAULT_GOAL := help
.PHONY: help install demo test faults check bench bench-quick chaos soak-memory docs stack stack-down lock clean

BIN := .venv/bin
STAMP := .venv/installed
LOCK := .ci/requirements.txt
LOCK_RUN := .ci/requirements-run.txt
BUILD_BACKEND := $(shell sed -n 's/^requires = \["\(.*\)"\]/\1/p' pyproject.toml)

# The first Python that is new enough; `make install PYTHON=/path/to/python` chooses another.
NEW_ENOUGH := import sys; sys.exit(sys.version_info < (3, 11))
PYTHON ?= $(shell for python in python3 python3.14 python3.13 python3.12 python3.11; do \
	$$python -c '$(NEW_ENOUGH)' 2>/dev/null && echo $$python && break; done)

help: ## list what can be made
	@awk -F ':.*## ' '/^[a-z-]+:.*## / {printf "  make %-11s %s\n", $$1, $$2}' $(MAKEFILE_LIST)

# What pip is at, in place of its hundreds of lines: one line that changes on a terminal, else one in ten. Its errors
# go past this to stderr; its status arrives as the last line.
define follow_pip
{ now=0; while read -r word name rest; do case "$$word" in \
	Collecting|Ignoring) now=$$((now + 1)); \
		if [ -t 1 ]; then printf '\r\033[K      %s of %s: %s' $$now $(1) "$${name%%[=;:]*}"; \
		elif [ $$((now % 10)) -eq 0 ]; then echo "      $$now of $(1)"; fi;; \
	Installing) if [ -t 1 ]; then printf '\r\033[K'; fi; echo "      all there; unpacking";; \
	status) if [ -t 1 ]; then printf '\r\033[K'; fi; exit "$$name";; \
	esac; done; }
endef

install: $(STAMP) ## put everything into .venv; does nothing when nothing changed

$(STAMP): $(LOCK) pyproject.toml
	@'$(PYTHON)' -c '$(NEW_ENOUGH)' 2>/dev/null || { \
		echo "make install: $(if $(PYTHON),$(PYTHON) is not,found no) Python 3.11 or newer (python3 is $$(python3 --version 2>&1 || echo missing)); install one, or name it: make install PYTHON=/path/to/python" >&2; exit 1; }
	@echo "[1/3] .venv with $$('$(PYTHON)' --version)"
	@test -x $(BIN)/pip || '$(PYTHON)' -m venv --clear .venv
	@echo "[2/3] $$(grep -c '==' $(LOCK)) locked packages, about 150 MB to fetch the first time"
	@{ $(BIN)/pip install --disable-pip-version-check --progress-bar off --require-hashes --requirement $(LOCK); \
		echo "status $$?"; } | $(call follow_pip,$$(grep -c '==' $(LOCK)))
	@echo "[3/3] release-consumer itself"
	@$(BIN)/pip install --disable-pip-version-check --quiet --no-deps --no-build-isolation --editable .
	@touch $@
	@echo "installed: $(BIN)/release-consumer"

demo: install ## run the main job on real services and show the result; GIT=/path/to/repo: on your own commits
	@$(BIN)/release-consumer demo $(if $(GIT),--git '$(GIT)')

test: install ## run the tests, on real services
	@$(BIN)/python -m pytest --numprocesses=3 --dist=loadfile --no-loadscope-reorder

faults: install ## run all fault tests, also those that take their time
	@$(BIN)/python -m pytest -m "long or not long" --numprocesses=2 tests/faults

check: install ## format, lint, types, layers, schemas, and whether lock and generated files are in step
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/python .ci/check_lock.py pyproject.toml $(LOCK) $(LOCK_RUN)
	@$(BIN)/python .ci/make_docs.py --check
	@$(BIN)/python .ci/check_asyncapi.py schemas/asyncapi.yaml
	@$(BIN)/python .ci/check_schemas.py

bench: install ## measure speed beside COPY and a row-by-row version, on servers of its own; takes about half an hour
	@$(BIN)/python -m bench --picture docs/bench.svg

bench-quick: install ## the same in small, without growth: under three minutes
	@$(BIN)/python -m bench --quick

docs: install ## write the pages about events and schemas/asyncapi.yaml anew, after a change of a schema
	@$(BIN)/python .ci/make_docs.py

# SEED=n draws the faults of an earlier run again.
MINUTES ?= 30
chaos: install ## break everything at random, MINUTES=30, and check every promise; on servers of its own
	@$(BIN)/python -m tests.chaos --minutes $(MINUTES) $(if $(SEED),--seed $(SEED))

EVENTS ?= 1000000
soak-memory: install ## measure the memory that a backlog of EVENTS=1000000, and one huge event, take
	@$(BIN)/python -m tests.soak --events $(EVENTS)

stack: install ## start Kafka, PostgreSQL and Redis on this machine
	@$(BIN)/release-consumer stack up

stack-down: install ## stop them; their data stays
	@$(BIN)/release-consumer stack down

# --universal: one file for every platform and every Python that pyproject.toml allows.
COMPILE = $(BIN)/uv pip compile --quiet --universal --generate-hashes --no-header --no-annotate --no-emit-index-url

define lock
	@{ echo '# Made by `make lock` from pyproject.toml: $(1)'; \
		echo '$(BUILD_BACKEND)' | $(COMPILE) $(2) pyproject.toml -; } > $(3).new
	@mv $(3).new $(3)
endef

lock: ## write the locked, hashed requirements anew, after a change of pyproject.toml
	$(call lock,all that development and the embedded services need.,--extra embedded --extra docker --extra dev,$(LOCK))
	$(call lock,what a worker needs to run.,,$(LOCK_RUN))

clean: ## stop the stack, and remove its data, .venv and all caches
	@if [ -x $(BIN)/release-consumer ] && [ -d .stack ]; then $(BIN)/release-consumer stack down --wipe; fi
	@rm -rf .venv .stack dist build .mypy_cache .ruff_cache .pytest_cache .hypothesis .import_linter_cache
	@find . -name __pycache__ -type d -prune -exec rm -rf {} +

# The same few words for people and for CI; each does the set-up that it needs.

PYTHON ?= python3
STACK ?= local
# Two more than there are cores: most tests wait for real processes.
WORKERS ?= $(shell n=$$(nproc 2>/dev/null || echo 2); echo $$((n < 6 ? n + 2 : 8)))
DIST ?= loadfile
ARGS ?=
BIN := .venv/bin
# Where Python may not keep what it has compiled, each worker compiles every test anew: ten seconds.
PYTEST = PYTHONDONTWRITEBYTECODE= $(BIN)/python -m pytest -n $(WORKERS)

.DEFAULT_GOAL := help
.PHONY: help setup up down test check bench crash fit fuzz generate scenarios operations contract

help: ## what there is to say
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## /  make \1\t/' | expand -t 18

setup: ## virtual environment, dependencies and the Pulumi CLI
	@$(PYTHON) tools/setup.py

up: ## deploy the stack (STACK=local), test it, leave it running
	@$(PYTHON) tools/setup.py --need-cli
	@$(BIN)/moorage up --stack $(STACK) --test

down: ## take the stack away: no process, port or file stays
	@$(PYTHON) tools/setup.py --need-cli
	@$(BIN)/moorage destroy --stack $(STACK)

test: ## run the tests (ARGS="-k words", WORKERS=4)
	@$(PYTHON) tools/setup.py --tests
	@$(PYTEST) --dist $(DIST) --no-loadscope-reorder $(ARGS)

check: setup ## formatting, lint and types
	@$(BIN)/ruff format --check
	@$(BIN)/ruff check
	@$(BIN)/mypy

scenarios: setup ## small programs on the real engine, every step judged (ONLY="a berth")
	@$(BIN)/python -m tests.scenarios $(if $(ONLY),--only "$(ONLY)") $(ARGS)

operations: ## every operation and option of the driver on the real engine
	@$(PYTHON) tools/setup.py --tests
	@$(PYTEST) --dist loadgroup -m thorough $(ARGS)

bench: setup ## what is promised of speed, measured (ONLY=judge, ONLY=hosts, ARGS="--rounds 3")
	@$(BIN)/python tools/bench $(if $(ONLY),--only $(ONLY)) $(ARGS)

crash: setup ## kill everything at every step of a deployment, then mend it (ONLY=create/cli/17)
	@PYTHONPATH=tools $(BIN)/python -m crash $(if $(ONLY),--only $(ONLY)) $(ARGS)

contract: setup ## what the twin claims of Hugging Face, checked one by one (ONLY=router)
	@$(BIN)/python -m tests.contract $(if $(ONLY),--only $(ONLY)) $(ARGS)

generate: setup ## what is derived from the handlers' shapes: resource classes and their pages
	@$(BIN)/python tools/derive.py

fit: setup ## what the memory proof predicts, beside what others measured
	@$(BIN)/python tools/fit.py

fuzz: setup ## a hundred thousand spoilt specs, locks and policies (ARGS="--mutants 5000")
	@$(BIN)/python -m tests.fuzz $(ARGS)

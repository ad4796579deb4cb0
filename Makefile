# musicapp: `make run` starts the site, `make test` runs every test, `make` shows the rest.

# Which Python makes .venv; unset: the best one on PATH.
PYTHON ?=
VENV ?= .venv
# Of `make worker`: what it takes, and how much of it at a time.
QUEUES ?= default,media
CONCURRENCY ?= 2
# Of `make test`: how many processes run tests; most tests wait for something.
PROCESSES ?= 2
# More words for pytest (make test ARGS="tests/live -k cursor") or for the benches (make bench ARGS=live).
ARGS ?=

BIN := $(VENV)/bin
RUN := $(BIN)/python -m deploy.run
# A stamp per content of the pins: a second start asks pip nothing.
HAS_RUN := $(VENV)/.has-run-$(shell cksum < requirements.txt | tr ' ' '-')
HAS_DEV := $(VENV)/.has-dev-$(shell cat requirements.txt requirements-dev.txt | cksum | tr ' ' '-')
PIP := $(BIN)/python -m pip install -qq --disable-pip-version-check

.DEFAULT_GOAL := help
.PHONY: help run demo web worker beat renew migrate test lint format bench install requirements reference vendor

help: ## show this list
	@grep -hE '^[a-z]+:.*## ' $(MAKEFILE_LIST) | sed -E 's/^([a-z]+):.*## (.*)$$/make \1|\2/' | awk -F'|' '{printf "  %-18s %s\n", $$1, $$2}'

run: $(HAS_RUN) ## start the whole site here; one Ctrl-C stops it
	@exec $(RUN)

demo: $(HAS_RUN) ## fill the site with a small made-up library
	@exec $(RUN) flask demo $(ARGS)

web: $(HAS_RUN) ## start only the web processes
	@exec $(RUN) web

worker: $(HAS_RUN) ## start one more worker (QUEUES=default,media CONCURRENCY=2)
	@exec $(RUN) worker --queues $(QUEUES) --concurrency $(CONCURRENCY)

beat: $(HAS_RUN) ## start only the clock
	@exec $(RUN) beat

renew: $(HAS_RUN) ## put the code that is here now into the running site, without losing a request
	@exec $(RUN) renew

migrate: $(HAS_RUN) ## bring the database to the newest migration
	@exec $(RUN) migrate

test: $(HAS_DEV) ## run every test (ARGS= for pytest)
	@$(BIN)/python -m pytest -n $(PROCESSES) --dist loadscope --no-loadscope-reorder $(ARGS)

lint: $(HAS_DEV) ## check style, types, the rooms' contracts and the compose file
	@$(BIN)/ruff check .
	@$(BIN)/ruff format --check .
	@$(BIN)/mypy
	@$(BIN)/lint-imports
	@$(BIN)/check-jsonschema --builtin-schema vendor.compose-spec docker-compose.yml

format: $(HAS_DEV) ## bring the code into ruff's form
	@$(BIN)/ruff check --fix .
	@$(BIN)/ruff format .

bench: $(HAS_DEV) ## measure beside the yardsticks (ARGS=pipeline for one)
	@bench/setup
	@$(BIN)/python bench/run.py $(ARGS)

install: $(HAS_DEV) ## make .venv with everything that developing needs

requirements: $(HAS_DEV) ## compile the pins anew from the .in files
	@for name in requirements requirements-dev; do $(BIN)/python -m piptools compile --quiet --strip-extras --allow-unsafe --no-header \
	  --no-emit-index-url --no-emit-find-links --no-emit-trusted-host --output-file $$name.txt $$name.in || exit 1; done

reference: $(HAS_RUN) ## renew the table of settings in README.md and .env.example
	@$(BIN)/python -m deploy.reference

vendor: $(HAS_DEV) ## renew the front end's third-party files
	@$(BIN)/python deploy/vendor.py $(ARGS)

$(BIN)/python:
	@python=$$(sh deploy/find-python "$(PYTHON)") && "$$python" -m venv $(VENV)

$(HAS_RUN): requirements.txt | $(BIN)/python
	@echo "Installing the pinned requirements into $(VENV), once …"
	@$(PIP) -r requirements.txt
	@rm -f $(VENV)/.has-run-* && touch $@

$(HAS_DEV): requirements-dev.txt | $(HAS_RUN)
	@echo "Installing what tests and checks need into $(VENV), once …"
	@$(PIP) -r requirements-dev.txt
	@rm -f $(VENV)/.has-dev-* && touch $@

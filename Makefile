# Every target does its own set-up. `make` alone lists them.
PYTHON ?= python3
HOST ?= 127.0.0.1
PORT ?= 8000
WORKERS ?= 1
# The role is the one that runs make, as with psql.
TEST_DATABASE_URL ?= postgres://127.0.0.1:5432/postgres
TEST_REDIS_URL ?= redis://127.0.0.1:6379/15
# How many tests run at once.
JOBS ?= 2
# A run that issues fewer secrets than that, and looks for them everywhere, proves little.
PYTEST ?= -n $(JOBS) --dist loadfile --ignore tests/browser --ignore tests/contract --ignore tests/benchmarks --secrets 1000
# COVERAGE=1 measures: “make test” starts again, “make test-slow” adds to it and judges both.
MEASURED := --cov --cov-report= --cov-fail-under=0
# What “make bench” measures; MEMORY is the seconds of its longest part, 600 for all of it.
SECONDS ?= 2
KEYS ?= 1000,1000000
DATABASES ?= postgresql,sqlite
PARTS ?= rounds,counts,lists,scaling,abuse,memory
MEMORY ?= 0
# Cases for each operation and phase of “make fuzz”.
EXAMPLES ?= 500
BIN := .venv/bin
BASE := .venv/.base
DEV := .venv/.dev
BROWSER := .venv/.browser
CONTRACT := .venv/.contract
BENCH := .venv/.bench
OXLINT := $(BIN)/oxlint

.DEFAULT_GOAL := help
.PHONY: help install demo test test-all test-rest test-slow test-postgres test-browser test-contract test-bench fuzz bench schemas settings matrix screenshots gallery mocks accessibility lint format typecheck secure sbom check lock
.PHONY: revocation races crash-test state-machine outages neighbors upgrade-test timing clock-test

help: ## List the targets
	@grep -hE '^[a-z-]+:.*##' $(MAKEFILE_LIST) | sed -E 's/:.*## /\t/' | expand -t 16

install: $(DEV) ## Set up .venv with the runtime and development packages

$(BIN)/python:
	@$(PYTHON) -c 'import sys; sys.exit(sys.version_info < (3, 11) and "Python 3.11 or newer is needed; name one with make PYTHON=…")'
	@echo 'Creating .venv …'
	@$(PYTHON) -m venv .venv

$(BASE): requirements/base.txt | $(BIN)/python
	@echo 'Installing packages into .venv; takes about a minute …'
	@$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(DEV): requirements/dev.txt | $(BIN)/python
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@ $(BASE)

$(BROWSER): requirements/browser.txt | $(DEV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(CONTRACT): requirements/contract.txt | $(DEV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

$(BENCH): requirements/bench.txt | $(DEV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check --require-hashes -r $<
	@touch $@

demo: $(BASE) ## Start the demo (HOST, PORT, WORKERS); stop it with Ctrl-C
	@exec $(BIN)/python manage.py demo --host $(HOST) --port $(PORT) --workers $(WORKERS)

test: $(DEV) ## Run the fast tests on SQLite, in less than three minutes (JOBS)
	$(BIN)/python -m pytest $(PYTEST) -m "not slow" $(if $(COVERAGE),$(MEASURED))

test-all: ## Run all tests: both databases, contract, benchmark, browser; branch coverage has to reach 95 %
	$(MAKE) test COVERAGE=1
	$(MAKE) test-rest

test-rest: ## Run the part of “make test-all” that comes after “make test COVERAGE=1”
	$(MAKE) test-slow COVERAGE=1
	$(MAKE) test-postgres
	$(MAKE) test-contract
	$(MAKE) test-bench
	CI=1 $(MAKE) test-browser

test-slow: $(DEV) ## Run the slow tests on SQLite
	$(BIN)/python -m pytest $(PYTEST) -m slow $(if $(COVERAGE),$(MEASURED) --cov-append)
	$(if $(COVERAGE),$(BIN)/coverage report)

test-postgres: $(DEV) ## Run fast and slow tests on PostgreSQL and Redis (TEST_DATABASE_URL, TEST_REDIS_URL)
	DATABASE_URL=$(TEST_DATABASE_URL) REDIS_URL=$(TEST_REDIS_URL) $(BIN)/python -m pytest $(PYTEST)

test-browser: $(BROWSER) ## Run the tests in Chromium, which has to be on PATH
	$(BIN)/python -m pytest tests/browser

test-contract: $(CONTRACT) ## Compare answers with the schemas, on both databases, briefly
	$(BIN)/python -m pytest tests/contract
	DATABASE_URL=$(TEST_DATABASE_URL) REDIS_URL=$(TEST_REDIS_URL) $(BIN)/python -m pytest tests/contract

revocation: $(DEV) ## Withdraw keys under load, TIMES times on each face, and count what gets in after the response
	REVOCATION_ROUNDS=$(or $(TIMES),35) REVOCATION_TIMED=$(or $(TIMED),200) DATABASE_URL=$(TEST_DATABASE_URL) REDIS_URL=$(TEST_REDIS_URL) $(BIN)/python -m pytest tests/reliability/faults/test_revocation.py

races: $(DEV) ## Let requests race each other, TIMES times in each way, on both databases
	RACE_ROUNDS=$(or $(TIMES),50) $(BIN)/python -m pytest tests/reliability/faults/test_races.py tests/reliability/live/test_admins_race.py
	RACE_ROUNDS=$(or $(TIMES),50) DATABASE_URL=$(TEST_DATABASE_URL) REDIS_URL=$(TEST_REDIS_URL) $(BIN)/python -m pytest tests/reliability/faults/test_races.py tests/reliability/live/test_admins_race.py

clock-test: $(DEV) ## Explore SCHEDULES of the revocation clock in a simulation, and show that broken protocols are noticed
	SCHEDULES=$(or $(SCHEDULES),100000) $(BIN)/python -m tests.reliability.clock

crash-test: $(DEV) ## Kill the whole server while it writes, KILLS times on each database
	KILLS=$(or $(KILLS),200) $(BIN)/python -m pytest tests/reliability/faults/test_crashes.py
	KILLS=$(or $(KILLS),200) DATABASE_URL=$(TEST_DATABASE_URL) REDIS_URL=$(TEST_REDIS_URL) $(BIN)/python -m pytest tests/reliability/faults/test_crashes.py

state-machine: $(DEV) ## Compare SEQUENCES of 50 changes with a model, over HTTP, on both databases
	STEPS=50 SEQUENCES=$(or $(SEQUENCES),200) $(BIN)/python -m pytest tests/reliability/faults/test_model.py
	STEPS=50 SEQUENCES=$(or $(SEQUENCES),200) DATABASE_URL=$(TEST_DATABASE_URL) REDIS_URL=$(TEST_REDIS_URL) $(BIN)/python -m pytest tests/reliability/faults/test_model.py

outages: $(DEV) ## Stop and freeze servers of the tests' own under load, search EVENTS events, and say how long calls took
	SLOW_EVENTS=$(or $(EVENTS),200000) OUTAGE_CALLS=$(or $(CALLS),1000) OUTAGE_PATIENCE=0.2 DATABASE_URL=$(TEST_DATABASE_URL) REDIS_URL=$(TEST_REDIS_URL) $(BIN)/python -m pytest tests/reliability/faults/test_store.py tests/reliability/faults/test_database.py tests/reliability/faults/test_slow.py

neighbors: $(DEV) ## Let one customer send its worst on 100 connections, and say what others notice, on both databases
	NEIGHBOR_CALLS=$(or $(CALLS),1000) NEIGHBOR_EVENTS=$(or $(EVENTS),100000) $(BIN)/python -m pytest tests/reliability/faults/test_neighbors.py
	NEIGHBOR_CALLS=$(or $(CALLS),1000) NEIGHBOR_EVENTS=$(or $(EVENTS),100000) DATABASE_URL=$(TEST_DATABASE_URL) REDIS_URL=$(TEST_REDIS_URL) $(BIN)/python -m pytest tests/reliability/faults/test_neighbors.py

timing: $(DEV) ## Say how long refusals take and how well that tells them apart, SAMPLES of each, on both databases
	TIMING_SAMPLES=$(or $(SAMPLES),5000) $(BIN)/python -m pytest tests/reliability/faults/test_timing.py
	TIMING_SAMPLES=$(or $(SAMPLES),5000) DATABASE_URL=$(TEST_DATABASE_URL) REDIS_URL=$(TEST_REDIS_URL) $(BIN)/python -m pytest tests/reliability/faults/test_timing.py

upgrade-test: KEYS = 10000
upgrade-test: $(DEV) ## Migrate KEYS keys from every earlier schema and back, also under load, on both databases
	UPGRADE_KEYS=$(KEYS) $(BIN)/python -m pytest tests/reliability/faults/test_upgrade.py
	UPGRADE_KEYS=$(KEYS) DATABASE_URL=$(TEST_DATABASE_URL) REDIS_URL=$(TEST_REDIS_URL) $(BIN)/python -m pytest tests/reliability/faults/test_upgrade.py

fuzz: $(CONTRACT) ## The same with EXAMPLES cases for each operation and phase
	CONTRACT_EXAMPLES=$(EXAMPLES) $(BIN)/python -m pytest tests/contract
	CONTRACT_EXAMPLES=$(EXAMPLES) DATABASE_URL=$(TEST_DATABASE_URL) REDIS_URL=$(TEST_REDIS_URL) $(BIN)/python -m pytest tests/contract

test-bench: $(BENCH) ## Test the benchmark, at its smallest
	BENCH_SERVER=$(TEST_DATABASE_URL) BENCH_REDIS=$(TEST_REDIS_URL) $(BIN)/python -m pytest tests/benchmarks

bench: $(BENCH) ## Measure (ROUNDS, SECONDS, KEYS, DATABASES, PARTS, MEMORY)
	$(BIN)/python -m benchmarks --rounds $(or $(ROUNDS),7) --seconds $(SECONDS) --keys $(KEYS) --databases $(DATABASES) \
		--parts $(PARTS) --memory $(MEMORY) --server $(TEST_DATABASE_URL) --redis $(TEST_REDIS_URL)

schemas: $(BASE) ## Write the OpenAPI documents anew into docs/schemas
	DJANGO_SETTINGS_MODULE=config.settings.test $(BIN)/python manage.py write_schemas docs/schemas

settings: $(DEV) ## Generate docs/operations/settings.md from .env.example and config/
	$(BIN)/python -m tests.config.settings_document

matrix: $(DEV) ## Generate docs/security/authorization.md from tests/security/matrix/table.py
	$(BIN)/python -m tests.security.matrix

screenshots: $(BROWSER) ## Generate the README's pictures from a temporary demo
	$(BIN)/python -m tests.browser.screenshots docs/images

gallery: $(BROWSER) ## Photograph every page and dialog of a temporary demo into FOLDER (var/gallery)
	$(BIN)/python -m tests.browser.gallery $(or $(FOLDER),var/gallery)

mocks: $(BROWSER) ## Put each picture of the folder MOCKS next to ours, in FOLDER (var/mocks)
	@test -n "$(MOCKS)" || { echo 'Name the folder of the mocks: make mocks MOCKS=folder' >&2; exit 2; }
	$(BIN)/python -m tests.browser.mocks $(MOCKS) $(or $(FOLDER),var/mocks)

accessibility: $(BROWSER) ## Check every page and dialog with axe, in all themes and widths
	LOOKS=all $(BIN)/python -m pytest tests/browser/test_accessibility.py

lint: $(DEV) ## Check style, templates, scripts and import contracts
	$(BIN)/ruff check .
	$(BIN)/ruff format --check .
	$(BIN)/djade --check $$(git ls-files 'templates/*.html')
	$(OXLINT) static/js
	$(BIN)/lint-imports

format: $(DEV) ## Rewrite the sources in the house style
	$(BIN)/ruff check --fix .
	$(BIN)/ruff format .
	$(BIN)/djade $$(git ls-files 'templates/*.html')

typecheck: $(DEV) ## Check types
	$(BIN)/mypy

secure: $(DEV) ## Look for weaknesses in the code and for secrets that were committed
	$(BIN)/bandit --quiet --configfile pyproject.toml --recursive core apikeys organizations config manage.py
	@# On a copy: the tool moves line numbers in its list, and says so with 3.
	@cp .secrets.baseline .venv/.secrets.baseline
	$(BIN)/detect-secrets-hook --baseline .venv/.secrets.baseline $$(git ls-files) || test $$? -eq 3

sbom: $(DEV) ## Write the bill of materials (CycloneDX) to var/sbom.json
	@mkdir -p var
	$(BIN)/python .ci/bill_of_materials.py var/sbom.json

check: lint typecheck secure ## Lint, types, weaknesses, missing migrations, deployment settings
	DJANGO_SETTINGS_MODULE=config.settings.test $(BIN)/python manage.py makemigrations --check --dry-run
	env $$($(BIN)/python manage.py generate_secrets) ENV_FILE=/dev/null ALLOWED_HOSTS=api.example.com \
		SITE_URL=https://api.example.com EMAIL_URL=smtp://127.0.0.1 \
		DJANGO_SETTINGS_MODULE=config.settings.production \
		$(BIN)/python manage.py check --deploy --fail-level WARNING

# The extras stay in the files: without them pip looks for the newest release of such a package and finds no hash for it.
lock: $(DEV) ## Pin the packages of pyproject.toml anew, with hashes
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-strip-extras --no-header pyproject.toml -o requirements/base.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-strip-extras --no-header pyproject.toml --group dev -o requirements/dev.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-strip-extras --no-header pyproject.toml --group dev --group browser --constraint requirements/dev.txt -o requirements/browser.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-strip-extras --no-header pyproject.toml --group dev --group contract --constraint requirements/dev.txt -o requirements/contract.txt
	$(BIN)/uv pip compile --quiet --universal --python-version 3.11 --generate-hashes --no-emit-index-url --no-strip-extras --no-header pyproject.toml --group dev --group bench --constraint requirements/dev.txt -o requirements/bench.txt

# Commontime. `make` alone prints the help. Needs only python3 with pip, and make.
PORT := $(or $(PORT),8000)
UV   := .tools/bin/uv
PY   := .venv/bin/python
COMMONTIME := $(PY) -m commontime.program.cli
TEMPLATES := $(wildcard src/commontime/*/templates)
JINJA := $(wildcard src/commontime/*/jinja2)
STATIC := $(wildcard src/commontime/*/static)
LOCKS := $(wildcard requirements/*.txt)
export PORT
export PYTHONPATH := src
export UV_PROJECT_ENVIRONMENT := .venv
# Containers often set this. Then each process that a test starts compiles all of it again.
unexport PYTHONDONTWRITEBYTECODE

.DEFAULT_GOAL := help

.tools/.stamp: requirements/uv.txt
	@python3 -m pip --version >/dev/null 2>&1 || { echo "python3 with pip is missing. On Debian: apt-get install python3-pip" >&2; exit 1; }
	python3 -m pip install -q --disable-pip-version-check --root-user-action=ignore --upgrade --target .tools --require-hashes -r $<
	@touch $@
.venv/.made: .python-version | .tools/.stamp
	$(UV) venv -q --clear --python "$$(cat .python-version)" .venv
	@touch $@
.venv/.base: requirements/base.txt .tools/.stamp .venv/.made
	$(UV) pip sync -q --compile-bytecode --require-hashes --python $(PY) requirements/base.txt
	@rm -f .venv/.dev; touch $@
.venv/.dev: requirements/dev.txt .tools/.stamp .venv/.made
	$(UV) pip sync -q --compile-bytecode --require-hashes --python $(PY) requirements/dev.txt
	@touch $@ .venv/.base
.venv-bench/.made: requirements/base.txt requirements/bench.txt .python-version .tools/.stamp
	$(UV) venv -q --clear --python "$$(cat .python-version)" .venv-bench
	$(UV) pip sync -q --require-hashes --python .venv-bench/bin/python requirements/base.txt requirements/bench.txt
	@touch $@
.venv-audit/.made: requirements/audit.txt .python-version .tools/.stamp
	$(UV) venv -q --clear --python "$$(cat .python-version)" .venv-audit
	$(UV) pip sync -q --require-hashes --python .venv-audit/bin/python requirements/audit.txt
	@touch $@
help:
	@echo "make run      start Commontime at http://127.0.0.1:$(PORT)"
	@echo "make demo     start it with an example choir, and show how to sign in"
	@echo "make test     run the tests (on PostgreSQL with DATABASE_URL=postgresql://…)"
	@echo "make check    run all checks: format, lint, types, contracts, migrations, tests on both databases, coverage"
	@echo "make format   format the code"
	@echo "make texts    update the translation files"
	@echo "make bench    run the benchmarks"
	@echo "make chaos    kill, cut off and fuzz it for hours, and count what breaks (see docs/reliability.md)"
	@echo "make picture  redraw the README’s screenshot from the demo"
	@echo "make release  build the wheel and the sdist in dist/, and check them"
	@echo "make lock     recompile the lock files"
	@echo "make advisories  ask PyPI for known faults of the locked versions"

ready: $(if $(wildcard .venv/.dev),.venv/.dev,.venv/.base)
run: ready
	@exec $(COMMONTIME) run
demo: ready
	@$(COMMONTIME) prepare
	@$(COMMONTIME) demo
	@exec $(COMMONTIME) run
test: .venv/.dev
	$(PY) -m pytest @tests/parallel.txt
format: .venv/.dev
	.venv/bin/ruff format .
	.venv/bin/ruff check --fix .
	.venv/bin/djangofmt -q $(TEMPLATES)
	.venv/bin/djangofmt -q --profile jinja $(JINJA)
	.venv/bin/oxfmt -c .oxfmtrc.json $(STATIC)
# Only src/commontime is looked through. What is new stands empty in the .po files, what changed is marked fuzzy; both fail the tests.
texts: .venv/.dev
	@command -v xgettext >/dev/null || { echo "GNU gettext is missing. On Debian: apt-get install gettext" >&2; exit 1; }
	cd src/commontime && COMMONTIME_DATA_DIR=$(CURDIR)/var ../../$(PY) ../../manage.py makemessages -v 0 -l de -l fr --no-location --no-wrap --no-obsolete
	sed -i '/^"POT-Creation-Date:/d' src/commontime/locale/*/LC_MESSAGES/django.po
	cd src/commontime && COMMONTIME_DATA_DIR=$(CURDIR)/var ../../$(PY) ../../manage.py compilemessages -v 0
check: .venv/.dev
	.venv/bin/ruff format --check .
	.venv/bin/ruff check .
	.venv/bin/djangofmt -q --check $(TEMPLATES)
	.venv/bin/djangofmt -q --check --profile jinja $(JINJA)
	.venv/bin/oxfmt -c .oxfmtrc.json --check $(STATIC)
	.venv/bin/mypy
	.venv/bin/lint-imports
	$(PY) manage.py makemigrations --check --dry-run
	COMMONTIME_BASE_URL=https://commontime.example.org $(PY) manage.py check --deploy --fail-level WARNING
	$(PY) tests/both_databases.py
bench: .venv/.dev
	@$(MAKE) -s .venv-bench/.made || echo "Could not install requirements/bench.txt; the rows that need it will say so." >&2
	$(PY) -m bench
	-.venv-bench/bin/python -m bench.optaplanner
chaos: .venv/.dev
	$(PY) -m chaos --write
release: .venv/.dev
	@rm -rf dist
	.venv/bin/hatchling build
	$(PY) -m pytest -q tests/program/test_wheel.py
picture: .venv/.dev
	$(PY) tests/picture.py
# PyPI knows them. Without --strict, pip-audit would also find nothing where PyPI did not answer.
advisories: .venv-audit/.made
	@code=0; for lock in $(LOCKS); do \
	    echo "$$lock:"; $(RM) .venv-audit/found; \
	    .venv-audit/bin/pip-audit --strict --disable-pip --require-hashes --progress-spinner off -o .venv-audit/found -r $$lock && continue; \
	    code=1; cat .venv-audit/found 2>/dev/null || echo "Could not look: whether these versions have known faults is unknown." >&2; \
	done; exit $$code

lock:
	python3 -m pip install -q --disable-pip-version-check --root-user-action=ignore --upgrade --target .tools -r requirements/uv.in
	$(UV) pip compile -q --universal --python-version 3.13 --generate-hashes --no-header requirements/uv.in -o requirements/uv.txt
	$(UV) pip compile -q --universal --python-version 3.13 --generate-hashes --no-header pyproject.toml -o requirements/base.txt
	$(UV) pip compile -q --universal --python-version 3.13 --generate-hashes --no-header pyproject.toml requirements/dev.in -o requirements/dev.txt
	$(UV) pip compile -q --universal --python-version 3.13 --generate-hashes --no-header requirements/build.in -o requirements/build.txt
	$(UV) pip compile -q --universal --python-version 3.13 --generate-hashes --no-header -c requirements/dev.txt requirements/audit.in -o requirements/audit.txt
	$(UV) pip compile -q --universal --python-version 3.13 --generate-hashes --no-header -c requirements/base.txt requirements/bench.in -o requirements/bench.txt
	@! grep -nE '://|--(extra-)?index-url|--find-links' requirements/*.txt
.PHONY: help ready run demo test format texts check bench chaos release picture advisories lock

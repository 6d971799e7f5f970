# Commontime. `make` alone prints the help. Needs only python3 with pip, and make.
PORT ?= 8000
UV   := .tools/bin/uv
PY   := .venv/bin/python
export PORT
export PYTHONPATH := src
export UV_PROJECT_ENVIRONMENT := .venv

.tools/.stamp: requirements/uv.txt
	python3 -m pip install -q --disable-pip-version-check --upgrade --target .tools --require-hashes -r $<
	@touch $@
.venv/.made: .python-version | .tools/.stamp
	$(UV) venv -q --clear --python "$$(cat .python-version)" .venv
	@touch $@
.venv/.base: requirements/base.txt .tools/.stamp .venv/.made
	$(UV) pip sync -q --require-hashes --python $(PY) requirements/base.txt
	@rm -f .venv/.dev; touch $@
.venv/.dev: requirements/dev.txt .tools/.stamp .venv/.made
	$(UV) pip sync -q --require-hashes --python $(PY) requirements/dev.txt
	@touch $@ .venv/.base
lock:
	python3 -m pip install -q --disable-pip-version-check --upgrade --target .tools -r requirements/uv.in
	$(UV) pip compile -q --universal --python-version 3.13 --generate-hashes --no-header requirements/uv.in -o requirements/uv.txt
	$(UV) pip compile -q --universal --python-version 3.13 --generate-hashes --no-header requirements/base.in -o requirements/base.txt
	$(UV) pip compile -q --universal --python-version 3.13 --generate-hashes --no-header requirements/dev.in -o requirements/dev.txt
	@! grep -nE '://|--(extra-)?index-url|--find-links' requirements/*.txt
.PHONY: lock

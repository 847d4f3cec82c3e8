# make lab     open the course in JupyterLab          make test    run every check
# Both make their own environment first. Another Python: make lab PYTHON=/path/to/python3.13

VENV := $(if $(PYTHON),.venv-$(subst /,-,$(patsubst /%,%,$(PYTHON))),.venv)
RUN := $(VENV)/bin/python -m
GOAL := $(or $(MAKECMDGOALS),lab)

lab: $(VENV)/course  ## open your copy of the course; LAB_OPTIONS go to JupyterLab
	@$(RUN) asyncio_lessons open $(LAB_OPTIONS)

my_course: $(VENV)/course  ## your copy alone, for VS Code and other editors
	@$(RUN) asyncio_lessons update

update:  ## fetch the newest lessons into your copy; what you wrote stays
	@git pull --ff-only --quiet || { echo "The newest lessons could not be fetched: git says why, above. Yours are as they were."; exit 1; }
	@$(MAKE) --no-print-directory my_course GOAL=update

test: $(VENV)/test  ## every check: package, house rules, notebooks, browser
	$(RUN) pytest -n 2 --dist loadscope --nbval --nbval-current-env $(TEST_OPTIONS)

slow: $(VENV)/test  ## the checks that take minutes or need the network: first minute, Binder, Colab
	$(RUN) pytest -m slow tests $(TEST_OPTIONS)

site: $(VENV)/site  ## the course to read and to run, as one folder of files: _site (needs npm, once)
	$(VENV)/bin/python website/build.py $(SITE_OPTIONS)

site-test: $(VENV)/test site  ## the whole site in a real browser, with the network cut
	$(RUN) pytest -m site tests $(TEST_OPTIONS)

test-all:  ## the same on every supported Python found here
	@for p in 11 12 13 14 15; do ! python3.$$p -c '' 2>/dev/null || $(MAKE) test PYTHON=python3.$$p || exit 1; done

notebooks: $(VENV)/test  ## run the notebooks again and write their outputs, and the README's picture
	$(RUN) ruff format notebooks && $(VENV)/bin/python tests/run_notebooks.py && $(VENV)/bin/python tests/measure_lessons.py
	$(RUN) asyncio_lessons.demos.worker_queue --plot .github/worker_queue.png
	$(RUN) asyncio_lessons.demos.worker_queue --plot .github/worker_queue-dark.png --theme dark

mutants: $(VENV)/test  ## change each solution in small ways; list the changes that no check notices
	$(RUN) asyncio_lessons.classroom.checking.mutants $(EXERCISES)

format: $(VENV)/test  ## lint and format code and notebooks
	$(RUN) ruff check --fix . && $(RUN) ruff format .

bench: $(VENV)/bench  ## our loop beside asyncio, uvloop, Trio, Curio and tinyio
	$(RUN) benchmarks

links:  ## make links OWNER/NAME: the repository's address, wherever it is named
	@$(or $(wildcard $(VENV)/bin/python),python3) tools/links.py $(filter-out links,$(MAKECMDGOALS))
ifeq (links,$(firstword $(MAKECMDGOALS)))
$(filter-out links,$(MAKECMDGOALS)): ; @:
endif

clean:  ## remove the environments and what tools left behind
	rm -rf .venv* .pytest_cache .ruff_cache .hypothesis build dist _site

# The environment: once; a stamp says what is in it, so that the second time is quick.
PYTHONS := $(or $(PYTHON),python3 python3.15 python3.14 python3.13 python3.12 python3.11 python)
$(VENV)/course $(VENV)/test $(VENV)/bench $(VENV)/site: pyproject.toml
	@for p in $(PYTHONS); do $$p -c 'import sys; sys.exit(sys.version_info < (3, 11))' 2>/dev/null && exec $$p tools/prepare.py $(VENV) $(@F) $(GOAL); done; \
	echo "No Python 3.11 or newer found. Install one from python.org, or name one: make $(GOAL) PYTHON=/path/to/python3.13"; exit 1

.PHONY: lab my_course update test slow site site-test test-all notebooks mutants links format bench clean

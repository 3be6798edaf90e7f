# `make demo` edits a radiograph, `make test` runs the tests. Each target installs what it needs in .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
PIP := $(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt
IMAGE ?= models/sample/radiograph.png
PROMPT ?= Add the finding of moderate left pleural effusion.
OUT ?= out
RECORD ?= out/speed.json
SITE ?= out/site
JOBS ?= 2
FUZZ_SECONDS ?= 300
COMFYUI_PATH ?= $(HOME)/ComfyUI
COMFYUI_PYTHON ?= $(PYTHON)

.PHONY: help demo lint format test test-slow test-batch test-fuzz fuzz test-ray test-docs test-serve test-study test-measures test-archive test-comfyui bench \
	docs check-weight install clean

help:
	@echo "make demo [IMAGE=file PROMPT=\"...\" OUT=folder]   edit a radiograph and print where the pictures are"
	@echo "make lint                                        ruff, mypy and the import contracts"
	@echo "make format                                      let ruff rewrite what it can"
	@echo "make test [JOBS=2]                               all tests except the slow ones, in so many processes"
	@echo "make test-slow                                   the tests that take minutes each"
	@echo "make test-batch                                  batches killed fifty times, and one of ten thousand rows"
	@echo "make test-fuzz                                   more than five thousand hostile files, prompts and model folders"
	@echo "make fuzz [FUZZ_SECONDS=n]                       the same kinds of input, guided by coverage, n seconds for each"
	@echo "make test-ray                                    batches on a local Ray cluster whose workers are killed"
	@echo "make test-docs                                   every code block of the documentation, the examples and notebooks"
	@echo "make test-serve                                  the service under load and its page in a real browser"
	@echo "make test-archive                                finding, editing and storing in a real Orthanc on loopback"
	@echo "make test-study                                  the page of a reader study in a real browser"
	@echo "make test-measures                               measures against libraries in an environment of their own"
	@echo "make test-comfyui COMFYUI_PATH=folder COMFYUI_PYTHON=file   the nodes and workflows in a real ComfyUI and its page"
	@echo "make bench [RECORD=file]                         measure what an edit costs, and how good it is (about ten minutes)"
	@echo "make docs [SITE=folder]                          build the documentation site"
	@echo "make check-weight                                weights and pictures change only with the version"
	@echo "make install                                     set up .venv with the package and the command x2x"
	@echo "make clean                                       remove .venv and build leftovers, nothing of yours"
	@echo "All targets need Python 3.11 or newer; PYTHON=file chooses one."

# torch is installed first, at its pin: a looser requirement would download gigabytes of another build.
$(VENV)/installed: pyproject.toml setup.py constraints.txt
	$(PYTHON) -c 'import sys; sys.exit(None if sys.version_info >= (3, 11) else "Python 3.11 or newer is required, this is " + sys.version.split()[0] + ": run make PYTHON=python3.11")'
	$(PYTHON) -m venv $(VENV)
	$(PIP) torch
	$(PIP) -e .
	@touch $@

# One stamp for each extra: .venv/installed-test, .venv/installed-lint, ...
$(VENV)/installed-%: $(VENV)/installed
	$(PIP) -e ".[$*]"
	@touch $@

install: $(VENV)/installed

demo: $(VENV)/installed
	@$(BIN)/x2x edit "$(IMAGE)" "$(PROMPT)" -o "$(OUT)" --new-folder

# mypy reads the types of the libraries of all extras.
lint: $(VENV)/installed-test $(VENV)/installed-lint
	$(BIN)/ruff check
	$(BIN)/ruff format --check
	$(BIN)/mypy
	$(BIN)/lint-imports

format: $(VENV)/installed-lint
	$(BIN)/ruff check --fix
	$(BIN)/ruff format

# Files of tests are shared out among JOBS processes, in their order (tests/apart.py); JOBS=0 runs all in one.
# Bytecode is kept, also where the environment says otherwise: the tests start many processes.
test: export PYTHONDONTWRITEBYTECODE =
test: $(VENV)/installed-test
	$(BIN)/python -m pytest -n $(JOBS) --dist loadfile --no-loadscope-reorder

test-slow: $(VENV)/installed-test
	$(BIN)/python -m pytest -m slow

test-batch: $(VENV)/installed-test
	$(BIN)/python -m pytest -m batch tests/batch

# The same cases in each run; X2X_FUZZ_FACTOR multiplies them.
test-fuzz: $(VENV)/installed-test
	X2X_FUZZ_FACTOR=$${X2X_FUZZ_FACTOR:-22} $(BIN)/python -m pytest tests/fuzz

# Findings are written to out/fuzz; `tests/fuzz/guided.py TARGET --repeat FILE` gives one again.
fuzz: $(VENV)/installed-test $(VENV)/installed-fuzz
	for target in read upload verify mask atlas manifest certificates "dicom edit" prompt; do \
		$(BIN)/python tests/fuzz/guided.py "$$target" --seconds "$(FUZZ_SECONDS)" --findings out/fuzz || exit 1; done

test-ray: $(VENV)/installed-test $(VENV)/installed-ray
	$(BIN)/python -m pytest -m ray tests/batch

test-docs: $(VENV)/installed-test $(VENV)/installed-notebooks
	$(BIN)/python -m pytest -m "slow or not slow" tests/docs

# The service on loopback, and its page in the machine's own Chromium; SHOTS=folder keeps pictures.
test-serve: $(VENV)/installed-test $(VENV)/installed-page
	X2X_TEST_SERVE=1 $(BIN)/python -m pytest tests/service

# The page of a reader study in the machine's own Chromium; SHOTS=folder keeps pictures.
test-study: $(VENV)/installed-test $(VENV)/installed-page
	X2X_TEST_STUDY=1 $(BIN)/python -m pytest tests/study/page

# An Orthanc on loopback (Debian: apt-get install orthanc orthanc-dicomweb), which `make test` skips, and dciodvfy.
test-archive: $(VENV)/installed-test $(VENV)/installed-validator
	X2X_TEST_ARCHIVE=1 $(BIN)/python -m pytest tests/archive

# In an environment of its own: frd-score brings an OpenCV build that replaces ours. pyradiomics is built.
test-measures:
	$(PYTHON) -m venv .venv-measures
	.venv-measures/bin/python -m pip install --quiet -c constraints.txt torch
	.venv-measures/bin/python -m pip install --quiet -c constraints.txt -e ".[test]"
	.venv-measures/bin/python -m pip install --quiet setuptools wheel cython versioneer PyWavelets pykwalify six docopt prdc
	.venv-measures/bin/python -m pip install --quiet --no-deps --no-build-isolation pyradiomics==3.0.1
	.venv-measures/bin/python -m pip install --quiet --no-deps frd-score==1.0.1
	X2X_TEST_MEASURES=1 .venv-measures/bin/python -m pytest tests/second_sources

# A ComfyUI checkout, and the Python that has its requirements and this project's; SHOTS=folder keeps pictures.
test-comfyui: $(VENV)/installed-test $(VENV)/installed-page
	X2X_TEST_COMFYUI=1 COMFYUI_PATH="$(COMFYUI_PATH)" COMFYUI_PYTHON="$(COMFYUI_PYTHON)" $(BIN)/python -m pytest tests/comfyui

# Alone on the machine: what else runs is in the figures.
bench: $(VENV)/installed-evaluate
	$(BIN)/python benchmarks/speed.py --out "$(RECORD)"

docs: $(VENV)/installed-docs
	$(BIN)/mkdocs build --strict --site-dir "$(SITE)"

check-weight:
	$(PYTHON) tools/check_weight.py

clean:
	rm -rf $(VENV) build dist *.egg-info

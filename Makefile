# `make demo` edits a radiograph, `make test` runs the tests. Each sets up what it needs in .venv.

PYTHON ?= python3
VENV := .venv
BIN := $(VENV)/bin
IMAGE ?= models/sample/radiograph.png
PROMPT ?= Add the finding of moderate left pleural effusion.
OUT ?= out
COMFYUI_PATH ?= $(HOME)/ComfyUI
COMFYUI_PYTHON ?= $(PYTHON)

.PHONY: help demo test test-slow test-comfyui install clean

help:
	@echo "make demo [IMAGE=file PROMPT=\"...\" OUT=folder]   edit a radiograph and show where the pictures are"
	@echo "make test                                        install what the tests need and run them all"
	@echo "make test-slow                                   the tests that take minutes each"
	@echo "make test-comfyui COMFYUI_PATH=folder COMFYUI_PYTHON=file   the nodes and workflows in a real ComfyUI and its page"
	@echo "make install                                     set up .venv with the package and the command x2x"
	@echo "make clean                                       remove .venv and build leftovers; nothing of yours"

# torch goes first and by its pin: a looser requirement would bring gigabytes of another build.
$(VENV)/installed: pyproject.toml setup.py constraints.txt
	$(PYTHON) -m venv $(VENV)
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt torch
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e .
	@touch $@

$(VENV)/installed-test: $(VENV)/installed
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[test]"
	@touch $@

$(VENV)/installed-page: $(VENV)/installed-test
	$(BIN)/python -m pip install --quiet --disable-pip-version-check -c constraints.txt -e ".[page]"
	@touch $@

install: $(VENV)/installed

demo: $(VENV)/installed
	@$(BIN)/x2x edit "$(IMAGE)" "$(PROMPT)" -o "$(OUT)" --new-folder

test: $(VENV)/installed-test
	$(BIN)/python -m pytest

test-slow: $(VENV)/installed-test
	$(BIN)/python -m pytest -m slow

# A ComfyUI checkout, and the Python that has its requirements and this project's; COMFYUI_SHOTS=folder keeps pictures.
test-comfyui: $(VENV)/installed-page
	X2X_TEST_COMFYUI=1 COMFYUI_PATH="$(COMFYUI_PATH)" COMFYUI_PYTHON="$(COMFYUI_PYTHON)" $(BIN)/python -m pytest tests/comfyui

clean:
	rm -rf $(VENV) build dist *.egg-info

"""Answerers by their name on the command line."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from contextlib import contextmanager

import torch

from x2x_core.common.errors import InputError

from ..bundled import BUNDLED
from ..loading import load_scorer
from ..network_files import NETWORK_SUFFIXES
from ..scorer import PROBABILITY
from ..torchxrayvision import XRV
from .answerer import Answerer
from .classifier import ClassifierAnswerer
from .command import CommandAnswerer
from .endpoint import ADDRESS, KEY, EndpointAnswerer
from .vision_language import VisionLanguageAnswerer

HUGGING_FACE, OPENAI, COMMAND = "huggingface:", "openai:", "command:"  # prefixes


_NAMED = re.compile(r"([\w .-]+)=(.+)", re.DOTALL)


@contextmanager
def open_answerer(spec: str, device: str | torch.device = "cpu") -> Iterator[Answerer]:
    """Open an answerer by its name on the command line, until the context ends.

    Args:
        spec: "bundled", "torchxrayvision:NAME" or the path of a TorchScript or ONNX file (see
            `x2x_core.scorers.loading.load_scorer`); "huggingface:PLACE", a vision-language model in a folder or on the
            Hub; "openai:MODEL", a model at the address in the environment variable OPENAI_BASE_URL, with the key in
            OPENAI_API_KEY; "command:PROGRAM ARGUMENTS", see `x2x_core.scorers.answerers.command`. "NAME=" before it
            gives it a name in reports.
        device: where a torch network runs.

    Raises:
        InputNotFoundError: a file does not exist.
        MissingExtraError: a library is not installed.
        InputError: an unknown name, a model that cannot be loaded, or no address.
    """
    if named := _NAMED.fullmatch(spec):
        with open_answerer(named[2], device) as answerer:
            answerer.name = named[1].strip()
            yield answerer
    elif spec.startswith(COMMAND):
        with CommandAnswerer(spec.removeprefix(COMMAND)) as command:
            yield command
    elif spec.startswith(HUGGING_FACE):
        yield VisionLanguageAnswerer.load(spec.removeprefix(HUGGING_FACE), device)
    elif spec.startswith(OPENAI):
        yield _endpoint(spec.removeprefix(OPENAI))
    elif spec == BUNDLED or spec.startswith(XRV) or spec.lower().endswith(NETWORK_SUFFIXES):
        yield ClassifierAnswerer(load_scorer(spec, PROBABILITY, device))
    else:
        raise InputError(
            f"`answerer` must be {BUNDLED!r}, '{XRV}NAME', a file of {', '.join(NETWORK_SUFFIXES)}, "
            f"'{HUGGING_FACE}PLACE', '{OPENAI}MODEL' or '{COMMAND}PROGRAM', got {spec!r}."
        )


def _endpoint(model: str) -> EndpointAnswerer:
    address = os.environ.get(ADDRESS)
    if not model or not address:
        raise InputError(
            f"`answerer` must be '{OPENAI}MODEL' with the address in the environment variable {ADDRESS} (and the key, "
            f"if it needs one, in {KEY}), such as http://127.0.0.1:8000/v1. Pictures are sent there."
        )
    return EndpointAnswerer(address, model, os.environ.get(KEY))

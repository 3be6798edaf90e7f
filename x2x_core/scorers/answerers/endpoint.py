"""A model behind an OpenAI-compatible address as an answerer.

The request is `POST ADDRESS/chat/completions` with a message of one picture and one text, as vLLM, llama.cpp, Ollama
and hosted models understand it. Nothing is sent anywhere but to this address: redirects are refused.
"""

from __future__ import annotations

import base64
import http.client
import json
import time
import urllib.error
import urllib.request
from collections.abc import Callable
from typing import Any

import torch

from x2x_core.common.errors import InputError

from .answerer import Answer, Question
from .pictures import plain_png
from .wording import says_yes

ADDRESS, KEY = "OPENAI_BASE_URL", "OPENAI_API_KEY"  # environment variables
TIMEOUT = 120.0  # seconds
TRIES = 5
_PATIENCE = 2.0  # seconds before the second try, doubled before each further one
_AGAIN = (408, 409, 429, 500, 502, 503, 504, 529)
_REFUSED = (401, 403)


class _NoRedirects(urllib.request.HTTPRedirectHandler):
    """Refuse redirects: a key and a picture go to no other address."""

    def redirect_request(self, *_arguments: Any, **_named: Any) -> None:
        """Return nothing, which makes the redirect an error."""


class EndpointAnswerer:
    """A model behind an OpenAI-compatible address; it is asked at temperature 0.

    Args:
        address: such as "http://127.0.0.1:8000/v1".
        model: its name there.
        key: sent as bearer token; ``None``: none is sent.
        timeout: seconds for one answer.
        wait: called with the seconds before a failed request is tried again.

    Raises:
        InputError: the address is not an http or https address.
    """

    findings: tuple[str, ...] | None = None

    def __init__(
        self,
        address: str,
        model: str,
        key: str | None = None,
        timeout: float = TIMEOUT,
        wait: Callable[[float], None] = time.sleep,
    ) -> None:
        if not address.startswith(("http://", "https://")):
            raise InputError(f"`{ADDRESS}` must be an address such as http://127.0.0.1:8000/v1, got {address!r}.")
        self.name, self._model, self._key = model, model, key
        self._url = f"{address.rstrip('/')}/chat/completions"
        self._timeout, self._wait = timeout, wait
        self._opener = urllib.request.build_opener(_NoRedirects)

    def __call__(self, images: torch.Tensor, question: Question) -> list[Answer]:
        """Return one answer for each of the images `(B, 1, H, W)` in [0, 1].

        Raises:
            InputError: no answer after all tries, or one of another form.
        """
        texts = [self._ask(image, question.text) for image in images]
        return [Answer(text, says_yes(text)) for text in texts]

    def _ask(self, image: torch.Tensor, text: str) -> str:
        picture = "data:image/png;base64," + base64.b64encode(plain_png(image)).decode("ascii")
        content = [{"type": "image_url", "image_url": {"url": picture}}, {"type": "text", "text": text}]
        body = {"model": self._model, "messages": [{"role": "user", "content": content}], "temperature": 0}
        return _content(self._send(json.dumps(body).encode()), self._url)

    def _send(self, body: bytes) -> bytes:
        headers = {"Content-Type": "application/json"}
        if self._key:
            headers["Authorization"] = f"Bearer {self._key}"
        failure = ""
        for attempt in range(TRIES):
            if attempt:
                self._wait(_PATIENCE * 2 ** (attempt - 1))
            request = urllib.request.Request(self._url, body, headers, method="POST")
            try:
                with self._opener.open(request, timeout=self._timeout) as response:
                    return response.read()
            except urllib.error.HTTPError as error:
                with error:
                    failure = f"HTTP {error.code}: {_shortened(error.read())}"
                if error.code in _REFUSED:
                    raise InputError(f"`{KEY}` must hold a key that {self._url} accepts, got {failure}") from error
                if error.code not in _AGAIN:
                    raise InputError(f"{self._url} refused the question about a picture: {failure}") from error
            except (urllib.error.URLError, TimeoutError, ConnectionError, http.client.HTTPException) as error:
                failure = str(getattr(error, "reason", error)) or type(error).__name__
        raise InputError(f"{self._url} gave no answer in {TRIES} tries: {failure}. Start again to continue.")


def _content(data: bytes, url: str) -> str:
    """Return the text of a response; parts of a text are joined."""
    try:
        content = json.loads(data)["choices"][0]["message"]["content"]
        if isinstance(content, list):
            content = "".join(part.get("text", "") for part in content)
    except (ValueError, KeyError, IndexError, TypeError, AttributeError):
        content = None
    if not isinstance(content, str):
        raise InputError(f"{url} must answer as OpenAI's chat completions do, got {_shortened(data)}")
    return content.strip()


def _shortened(data: bytes) -> str:
    text = " ".join(data.decode("utf-8", "replace").split())
    return text if len(text) <= 200 else f"{text[:200]}..."

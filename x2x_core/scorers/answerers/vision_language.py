"""Vision-language models of transformers as answerers."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import torch
from PIL import Image

from x2x_core.common.errors import InputError
from x2x_core.imaging.files import to_values

from ..preparation import last_line
from .answerer import Answer, Question
from .wording import says_yes

NEW_TOKENS = 64  # length of an answer
_YES, _NO = ("Yes", "yes", " Yes", " yes", "YES"), ("No", "no", " No", " no", "NO")
_DIRECT = 0.5  # probability of yes and no together, from which on the first token is the answer


class VisionLanguageAnswerer:
    """A model of images and text, which is asked in words; it decodes greedily, so an answer is reproducible.

    The score is the probability of yes among yes and no as the first token, if one of the two is more probable than
    everything else together; an answer that starts otherwise has no score.

    Args:
        model: such as `AutoModelForImageTextToText` loads.
        processor: its processor; with a chat template, questions are asked as a user's message.
        name: name in reports.
        new_tokens: largest length of an answer.
    """

    findings: tuple[str, ...] | None = None

    def __init__(self, model: Any, processor: Any, name: str, new_tokens: int = NEW_TOKENS) -> None:
        self.model, self.processor, self.name, self.new_tokens = model.eval(), processor, name, new_tokens
        yes, no = (_first_tokens(processor.tokenizer, words) for words in (_YES, _NO))
        self._yes, self._no = sorted(yes - no), sorted(no - yes)

    @classmethod
    def load(cls, place: str, device: str | torch.device = "cpu") -> VisionLanguageAnswerer:
        """Load a model from a folder, or from a repository of the Hugging Face Hub as "owner/name".

        Code in a repository is never run.

        Raises:
            InputError: there is no such model, or it is not one of images and text.
        """
        from transformers import AutoModelForImageTextToText, AutoProcessor

        local = Path(place).is_dir()
        try:
            processor = AutoProcessor.from_pretrained(place, local_files_only=local)
            model: Any = AutoModelForImageTextToText.from_pretrained(place, local_files_only=local, dtype="auto")
        except (OSError, ValueError, KeyError, ImportError) as error:
            raise InputError(
                f"`answerer` must name a model of images and text, a folder or owner/name on the Hugging Face Hub, but "
                f"{place!r} can't be loaded: {last_line(error)}"
            ) from error
        return cls(model.to(device), processor, Path(place).name if local else place)

    @torch.no_grad()
    def __call__(self, images: torch.Tensor, question: Question) -> list[Answer]:
        """Return one answer for each of the images `(B, 1, H, W)` in [0, 1]."""
        return [self._answer(Image.fromarray(to_values(image, 8)).convert("RGB"), question) for image in images]

    def _answer(self, picture: Image.Image, question: Question) -> Answer:
        inputs = self._inputs(picture, question.text).to(self.model.device)
        if "pixel_values" in inputs:
            inputs["pixel_values"] = inputs["pixel_values"].to(self.model.dtype)
        made = self.model.generate(
            **inputs, max_new_tokens=self.new_tokens, do_sample=False, return_dict_in_generate=True, output_logits=True
        )
        tokens = made.sequences[0, inputs["input_ids"].shape[1] :]
        text = self.processor.tokenizer.decode(tokens, skip_special_tokens=True).strip()
        return Answer(text, says_yes(text), self._score(made.logits[0][0]))

    def _inputs(self, picture: Image.Image, text: str) -> Any:
        if getattr(self.processor, "chat_template", None):
            content = [{"type": "image", "image": picture}, {"type": "text", "text": text}]
            return self.processor.apply_chat_template(
                [{"role": "user", "content": content}],
                add_generation_prompt=True,
                tokenize=True,
                return_dict=True,
                return_tensors="pt",
            )
        token = getattr(self.processor, "image_token", "")
        return self.processor(images=picture, text=f"{token} {text}".strip(), return_tensors="pt")

    def _score(self, logits: torch.Tensor) -> float | None:
        """Return the probability of yes among yes and no, from logits `(tokens,)` of the first token."""
        shares = logits.double().softmax(-1)
        yes, no = float(shares[self._yes].sum()), float(shares[self._no].sum())
        return yes / (yes + no) if yes + no > _DIRECT else None


def _first_tokens(tokenizer: Any, words: tuple[str, ...]) -> set[int]:
    encoded = (tokenizer.encode(word, add_special_tokens=False) for word in words)
    return {tokens[0] for tokens in encoded if tokens} - {tokenizer.unk_token_id}

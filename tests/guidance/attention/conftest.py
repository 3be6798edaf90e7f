"""Fixtures of the tests of attention."""

from attention_cases import half, unet

__all__ = ["half", "unet"]

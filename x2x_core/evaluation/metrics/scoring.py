"""Check for torchmetrics, which computes SSIM and PSNR."""

from __future__ import annotations

from x2x_core.common.extras import needs_extra


def check_scoring() -> None:
    """Check that fidelity can be scored, before a long run.

    Raises:
        MissingExtraError: torchmetrics is not installed.
    """
    with needs_extra("Scoring fidelity", "torchmetrics", "evaluate"):
        import torchmetrics  # noqa: F401

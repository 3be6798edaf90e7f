"""Loading the pipeline for a command: device, precision, and libraries that keep quiet."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING

from x2x_core.common.errors import InputError

if TYPE_CHECKING:
    import torch

    from x2x_core import InstructX2XPipeline

DTYPES = ("float32", "float16", "bfloat16")


def quiet_libraries() -> None:
    """Turn off the loading bars and advice of diffusers and transformers in this process; errors still show."""
    import diffusers
    import transformers

    diffusers.utils.logging.set_verbosity_error()
    diffusers.utils.logging.disable_progress_bar()
    transformers.utils.logging.set_verbosity_error()
    transformers.utils.logging.disable_progress_bar()


def choose_device(name: str | None) -> torch.device:
    """Return a torch device by name; ``None`` selects CUDA or MPS if available, else the CPU.

    Raises:
        InputError: this machine has no such device.
    """
    import torch

    if name is None:
        available = torch.accelerator.current_accelerator(check_available=True)
        return torch.device(available.type if available is not None else "cpu")
    try:
        device = torch.device(name)
        torch.empty(0, device=device)
    except (RuntimeError, AssertionError, NotImplementedError) as error:
        raise InputError(f"`--device` must be a device of this machine, such as cpu or cuda, got {name!r}.") from error
    return device


def choose_dtype(name: str | None, device: torch.device) -> torch.dtype:
    """Return a torch dtype by name; ``None`` selects float16 on CUDA and float32 elsewhere.

    Raises:
        InputError: another name.
    """
    import torch

    if name is None:
        return torch.float16 if device.type == "cuda" else torch.float32
    return torch_dtype(name)


def torch_dtype(name: str) -> torch.dtype:
    """Return one of the dtypes named in `DTYPES`.

    Raises:
        InputError: another name.
    """
    import torch

    if name not in DTYPES:
        raise InputError(f"`--dtype` must be one of {', '.join(DTYPES)}, got {name!r}.")
    dtype = getattr(torch, name)
    assert isinstance(dtype, torch.dtype)
    return dtype


def load_pipeline(
    model: str, pseudomasks: str | None, device_name: str | None, dtype_name: str | None
) -> InstructX2XPipeline:
    """Load a pipeline onto its device, without progress bars of its own.

    Args:
        model: "demo", a folder in diffusers layout, or a repository of the Hugging Face Hub.
        pseudomasks: an atlas file or a folder of published masks; ``None``: the bundled atlas.
        device_name: see `choose_device`.
        dtype_name: see `choose_dtype`.
    """
    quiet_libraries()
    from x2x_core import InstructX2XPipeline
    from x2x_core.edit.loading import check_instruct_pix2pix

    check_instruct_pix2pix(model)
    device = choose_device(device_name)
    dtype = choose_dtype(dtype_name, device)
    pipeline = InstructX2XPipeline.from_pretrained(model, pseudomasks=pseudomasks, dtype=dtype)
    pipeline.set_progress_bar_config(disable=True)
    return pipeline.to(device)


def model_folder(model: str) -> Path | None:
    """Return the local folder of a model, whose weights can be hashed; ``None`` for a repository of the hub."""
    from x2x_core.edit.loading import locate_checkpoint

    place, local = locate_checkpoint(model)
    return Path(place) if local else None

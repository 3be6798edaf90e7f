"""Options that several commands share, as types of their parameters."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

Model = Annotated[
    str, typer.Option(help='"demo", a folder in diffusers layout, or a Hugging Face repository "owner/name".')
]
Seed = Annotated[int, typer.Option(help="Seed of all random draws; the same seed gives the same bytes.")]
Pseudomasks = Annotated[
    Path | None, typer.Option(help="Atlas file or folder of published pseudomasks.", show_default="the bundled atlas")
]
Strict = Annotated[
    bool,
    typer.Option(
        "--strict/--no-strict",
        help="Refuse a side, zone, level or verb that is not understood; otherwise it is left out with a warning.",
    ),
]
Device = Annotated[str | None, typer.Option(help="cpu, cuda, cuda:1 or mps.", show_default="the fastest available")]
Dtype = Annotated[
    str | None, typer.Option(help="float32, float16 or bfloat16.", show_default="float16 on CUDA, else float32")
]
Workers = Annotated[int | None, typer.Option(help="Number of processes.", show_default="one per core")]
Sizes = Annotated[Path | None, typer.Option(help="Table of image sizes, for VinDr-CXR.", show_default="none")]
SignKey = Annotated[
    Path | None,
    typer.Option(
        help="Private key (PEM) to sign the pictures with, as content credentials (C2PA); the environment variable "
        "X2X_SIGN_PASSPHRASE opens an encrypted one.",
        show_default="the environment variable X2X_SIGN_KEY, or unsigned",
    ),
]
SignCertificate = Annotated[
    Path | None,
    typer.Option(
        help="The key's certificate (PEM), followed by those up to the root.",
        show_default="the environment variable X2X_SIGN_CERTIFICATE",
    ),
]

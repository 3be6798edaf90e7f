"""`x2x sign`: sign a result that exists, as PNG, JPEG or TIFF."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated

import typer

from .options import SignCertificate, SignKey
from .outputs import fresh_file


def sign(
    result: Annotated[Path, typer.Argument(help="A PNG file that this program wrote, unaltered since.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="The signed copy; its suffix decides: .png, .jpg or .tif.")],
    sign_key: SignKey = None,
    sign_certificate: SignCertificate = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it exists.")] = False,
) -> None:
    """Write a copy of a result with a content credential (C2PA), as PNG, JPEG or TIFF.

    The credential says that the picture is synthetic, what made it and from what, and names the result as what it was
    made from. Nothing is signed that `x2x verify` does not confirm. `x2x edit`, `x2x batch` and `x2x serve` sign at
    once with the same options.

    Example: x2x sign result/edited.png -o figure.jpg --sign-key key.pem --sign-certificate chain.pem
    """
    from x2x_core.archive.credentials.key import SigningFiles
    from x2x_core.archive.credentials.signing import Signer
    from x2x_core.archive.signed_copy import sign_copy
    from x2x_core.common.errors import InputError
    from x2x_core.common.storage import write_files

    signer = Signer.load(SigningFiles.choose(sign_key, sign_certificate))
    if signer is None:
        raise InputError("`sign_key` and `sign_certificate` must be given, or their variables set, to sign.")
    target = fresh_file(out, overwrite)
    write_files(target.parent, {target.name: sign_copy(result, target.name, signer)}, may_replace=overwrite)
    typer.echo(str(target))

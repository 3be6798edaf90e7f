"""`x2x serve`: serve edits to colleagues, with a page for people who install nothing."""

from __future__ import annotations

import os
from pathlib import Path
from typing import Annotated

import typer

from .options import Device, Dtype, Model, Pseudomasks, SignCertificate, SignKey

_MIB = 2**20
_MEGA = 1_000_000


def serve(
    model: Model = "demo",
    host: Annotated[str, typer.Option(help="Address to listen at; others than loopback require a token.")] = (
        "127.0.0.1"
    ),
    port: Annotated[int, typer.Option(help="Port to listen at.")] = 8600,
    token_file: Annotated[
        Path | None,
        typer.Option(
            help="File with the token that clients must send; only its owner may read it.",
            show_default="the environment variable X2X_SERVE_TOKEN, or no token",
        ),
    ] = None,
    without_token: Annotated[
        bool, typer.Option("--without-token", help="Let everybody edit who reaches this machine.")
    ] = False,
    workers: Annotated[int, typer.Option(help="Edits at one time; each worker loads the model.")] = 1,
    waiting: Annotated[int, typer.Option(help="Requests that may wait; further ones are told to come back.")] = 8,
    timeout: Annotated[float, typer.Option(help="Seconds for a request, with its waiting.")] = 300,
    max_megabytes: Annotated[int, typer.Option(help="Largest request in MiB.")] = 64,
    max_megapixels: Annotated[int, typer.Option(help="Largest image in millions of pixels.")] = 32,
    held_images: Annotated[int, typer.Option(help="Uploads that are held in memory at one time.")] = 8,
    hold_minutes: Annotated[float, typer.Option(help="How long an upload is held after its last use.")] = 15,
    keep: Annotated[
        Path | None, typer.Option(help="Folder that every edit is written to.", show_default="nothing is kept")
    ] = None,
    sign_key: SignKey = None,
    sign_certificate: SignCertificate = None,
    pseudomasks: Pseudomasks = None,
    device: Device = None,
    dtype: Dtype = None,
) -> None:
    """Serve edits over HTTP: an API, and a page for people who install nothing.

    Open the printed address in a browser. By default only this machine reaches it, and nothing is kept after an answer.
    Edits wait in a line with a limit. This server has no encryption and no accounts: do not put it on the internet.

    Example: x2x serve --port 8600
    """
    from x2x_core.common.extras import needs_extra

    with needs_extra("Serving", "FastAPI", "serve"):
        import fastapi  # noqa: F401
        import jinja2  # noqa: F401
        import python_multipart  # noqa: F401
        import uvicorn  # noqa: F401
    from x2x_core.archive.credentials.key import SigningFiles
    from x2x_core.archive.credentials.signing import Signer
    from x2x_core.archive.settings import KEY_VARIABLE
    from x2x_core.common.addresses import is_loopback
    from x2x_core.common.values import whole_number
    from x2x_core.imaging.provenance import sha256_weights
    from x2x_core.service.access import check_listening, read_token
    from x2x_core.service.editor import Editor
    from x2x_core.service.running import check_port, server
    from x2x_core.service.settings import ServiceSettings

    from .loading import load_pipeline, model_folder

    token = read_token(token_file)
    check_listening(host, token, without_token)
    whole_number("workers", workers)
    settings = ServiceSettings(
        host=host,
        port=port,
        token=token,
        any_host=not is_loopback(host),
        waiting=waiting,
        timeout=timeout,
        max_bytes=max_megabytes * _MIB,
        max_pixels=max_megapixels * _MEGA,
        held_images=held_images,
        hold_seconds=60 * hold_minutes,
        keep=keep,
        pseudonym_key=os.environ.get(KEY_VARIABLE, ""),
    )
    signer = Signer.load(SigningFiles.choose(sign_key, sign_certificate))
    check_port(host, port)
    if keep is not None:
        from .outputs import fresh_folder

        fresh_folder(keep, (), overwrite=False)
    atlas = None if pseudomasks is None else str(pseudomasks)
    weights = model_folder(model)
    digest = sha256_weights(weights) if weights else None
    editors = [Editor(load_pipeline(model, atlas, device, dtype), model, digest, signer) for _ in range(workers)]
    shown = f"[{host}]" if ":" in host else host
    typer.echo(f"Serving at http://{shown}:{port} (the page), http://{shown}:{port}/docs (the API). Ctrl-C ends it.")
    if not token and not is_loopback(host):
        typer.echo("Everybody who reaches this machine can use it: there is no token.")
    server(settings, editors).run()

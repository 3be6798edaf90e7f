"""`x2x masks`: draw pseudomasks and lungs; build an atlas of pseudomasks and score it."""

from __future__ import annotations

from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer

from x2x_core.common.errors import InputNotFoundError

from .app import App
from .atlas import build, evaluate
from .options import Pseudomasks
from .outputs import fresh_png, save_picture

if TYPE_CHECKING:
    import torch

    from x2x_core import Instruction, PseudomaskAtlas

BLANK_SIZE, BLANK_GREY = 512, 0.35  # the canvas where no image is given

app = App(no_args_is_help=True, help="Draw pseudomasks (where findings can be), and build atlases of them.")
app.command("build")(build)
app.command("evaluate")(evaluate)


@app.command()
def show(
    prompt: Annotated[
        str,
        typer.Argument(
            help='An instruction or a finding such as "left pleural effusion"; or only a radiograph, to see its lungs.'
        ),
    ],
    image: Annotated[
        Path | None, typer.Argument(help="A radiograph to draw the mask over.", show_default="none")
    ] = None,
    out: Annotated[
        Path | None, typer.Option("-o", "--out", help="PNG file to write.", show_default="pseudomask.png, lungs.png")
    ] = None,
    pseudomasks: Pseudomasks = None,
    align: Annotated[bool, typer.Option("--align/--no-align", help="Fit the mask to this patient's lungs.")] = True,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace an existing file.")] = False,
) -> None:
    """Draw the region that an instruction may edit, fitted to the patient if an image is given.

    With an image alone, draw the lungs found in it. The patient's right lung is on the left of the image.

    Examples: x2x masks show "Add the finding of left pleural effusion." chest.png -o mask.png

    x2x masks show chest.png -o lungs.png
    """
    from x2x_core import PseudomaskAtlas

    lungs_only = image is None and _names_a_file(prompt)
    if lungs_only and not Path(prompt).is_file():
        raise InputNotFoundError(f"There is no file `{prompt}`. Give a radiograph, an instruction or a finding.")
    atlas = PseudomaskAtlas.load(pseudomasks) if pseudomasks else PseudomaskAtlas.bundled()
    if lungs_only:
        _show_lungs(atlas, Path(prompt), fresh_png(out or Path("lungs.png"), overwrite))
    else:
        _show_mask(atlas, prompt, image, fresh_png(out or Path("pseudomask.png"), overwrite), align)


def _names_a_file(text: str) -> bool:
    """Return True for an existing file, and for text that is meant as a path: one word with a picture's suffix."""
    from x2x_core.imaging.kinds import SUFFIXES

    return Path(text).is_file() or text.lower().endswith(SUFFIXES)


def _show_lungs(atlas: PseudomaskAtlas, image: Path, out: Path) -> None:
    from x2x_core.anatomy.lung_overlay import lung_overlay
    from x2x_core.imaging.files import read_image

    pixels = read_image(image).pixels
    alignment = atlas.align(pixels)
    save_picture(out, lung_overlay(pixels, alignment.lungs), {"alignment": alignment.as_dict()})
    typer.echo(f"lungs: confidence {float(alignment.lungs.confidence[0]):.2f}")
    typer.echo(alignment.note)
    typer.echo(str(out))


def _show_mask(atlas: PseudomaskAtlas, prompt: str, image: Path | None, out: Path, align: bool) -> None:
    from x2x_core.anatomy.lung_overlay import lung_overlay
    from x2x_core.anatomy.sites import EDGE_LEVEL
    from x2x_core.imaging.files import read_image
    from x2x_core.imaging.overlay import guidance_overlay, mask_contour
    from x2x_core.pseudomasks.regions import instruction_region

    instruction = _parse(prompt)
    pixels = read_image(image).pixels if image else _blank()
    fits = align and image is not None and not atlas.published and instruction.region != "image"
    alignment = atlas.align(pixels) if fits else None
    size = (pixels.shape[-2], pixels.shape[-1])
    mask = instruction_region(atlas, instruction, size, alignment)
    picture = mask_contour(guidance_overlay(pixels, mask), mask >= EDGE_LEVEL)
    if alignment:
        picture = lung_overlay(picture, alignment.lungs)
    record = {"instruction": str(instruction), "alignment": alignment.as_dict() if alignment else None}
    save_picture(out, picture, record)
    sources = atlas.sources(instruction)
    for source in sources:
        kind = "experts' boxes of" if source.kind == "boxes" else "its anatomic site,"
        typer.echo(f"{source.finding}: from {kind} {source.name}")
    if not sources:
        typer.echo(f"no known finding: the whole {instruction.region}")
    if alignment:
        typer.echo(alignment.note)
    typer.echo(f"editable at most: {float((mask >= EDGE_LEVEL).float().mean()):.1%} of the image")
    typer.echo(str(out))


def _parse(text: str) -> Instruction:
    """Parse an instruction; a finding alone counts as adding it."""
    from x2x_core import Instruction
    from x2x_core.language.spelling import corrected
    from x2x_core.language.vocabulary import find_finding

    spelt = " ".join(corrected(word) for word in text.lower().split())
    instruction = Instruction.parse(f"Add {text}") if find_finding(spelt) else None
    return instruction if instruction and instruction.clauses else Instruction.parse(text)


def _blank() -> torch.Tensor:
    import torch

    return torch.full((1, 1, BLANK_SIZE, BLANK_SIZE), BLANK_GREY)

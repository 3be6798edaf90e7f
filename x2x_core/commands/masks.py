"""`x2x masks`: look at pseudomasks, and build an atlas of them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Optional

import typer

from x2x_core.commands.shared import fresh_file, save_picture

app = typer.Typer(no_args_is_help=True, help="Look at pseudomasks (where findings can be), and build an atlas of them.")


@app.command()
def show(
    prompt: Annotated[str, typer.Argument(help='An instruction, or a finding such as "left pleural effusion".')],
    image: Annotated[Optional[Path], typer.Argument(help="A radiograph to lay the mask over. [default: none]")] = None,
    out: Annotated[Path, typer.Option("-o", "--out", help="PNG file to write.")] = Path("pseudomask.png"),
    pseudomasks: Annotated[
        Optional[Path], typer.Option(help="Atlas file or folder of pseudomasks. [default: the one that ships]")
    ] = None,
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it is there.")] = False,
) -> None:
    """Draw the region that an instruction opens to editing.

    Example: x2x masks show "Add the finding of left pleural effusion." chest.png -o mask.png
    """
    from x2x_core import PseudomaskAtlas
    from x2x_core.imaging.files import read_image
    from x2x_core.overlay import guidance_overlay, mask_contour
    from x2x_core.sites import EDGE_LEVEL

    instruction = _understand(prompt)
    atlas = PseudomaskAtlas.load(pseudomasks) if pseudomasks else PseudomaskAtlas.bundled()
    pixels = read_image(image).pixels if image else _blank()
    mask = atlas.for_instruction(instruction, tuple(pixels.shape[-2:]))
    out = fresh_file(out, overwrite)
    picture = mask_contour(guidance_overlay(pixels, mask), mask >= EDGE_LEVEL)
    save_picture(out, picture, {"instruction": str(instruction)})
    sources = atlas.sources(instruction)
    for source in sources:
        kind = "experts' boxes of" if source.kind == "boxes" else "its anatomic site,"
        typer.echo(f"{source.finding}: from {kind} {source.name}")
    if not sources:
        typer.echo(f"no known finding: the whole {instruction.region}")
    typer.echo(f"editable at most: {float((mask >= EDGE_LEVEL).float().mean()):.1%} of the image")
    typer.echo(str(out))


def _understand(text: str):
    """An instruction; a finding alone counts as adding it."""
    from x2x_core import Instruction
    from x2x_core.findings import find_finding

    instruction = Instruction.parse(f"Add {text}") if find_finding(text) else None
    return instruction if instruction and instruction.clauses else Instruction.parse(text)


def _blank():
    import torch

    return torch.full((1, 1, 512, 512), 0.35)


@app.command()
def build(
    tables: Annotated[list[Path], typer.Argument(help="Box tables: NIH, RSNA or MS-CXR; csv, csv.gz or csv.zip.")],
    out: Annotated[Path, typer.Option("-o", "--out", help="Atlas file to write (.safetensors).")] = Path("atlas.safetensors"),
    overwrite: Annotated[bool, typer.Option("--overwrite", help="Replace the file if it is there.")] = False,
) -> None:
    """Build an atlas from experts' bounding boxes, and measure it on held-out patients.

    Example: x2x masks build BBox_List_2017.csv.gz -o atlas.safetensors
    """
    from rich.console import Console
    from rich.table import Table

    from x2x_core.atlas_building import build_atlas

    out = fresh_file(out, overwrite)
    atlas = build_atlas(tables, out)
    table = Table("Map", "Editable", "Held-out coverage")
    for name, measured in atlas.metadata["held_out"]["categories"].items():
        table.add_row(name, f"{measured['editable_share']:.1%}", f"{measured['coverage']:.1%}")
    Console().print(table)
    typer.echo(str(out))

"""Atlas files made from tables: reproducible, and never without a table."""

import pytest

from x2x_core.pseudomasks.building.making import build_atlas


def test_the_same_table_gives_the_same_bytes(tmp_path):
    rows = ["Image Index,Finding Label,Bbox [x,y,w,h],,,"]
    rows += [f"{n:08d}_000.png,Effusion,{200 + 2 * n},600,200,200" for n in range(40)]
    table = tmp_path / "boxes.csv"
    table.write_text("\n".join(rows))
    outs = [tmp_path / "a.safetensors", tmp_path / "b.safetensors"]
    for out in outs:
        atlas = build_atlas([table], out, folds=2, resolution=24)
    assert outs[0].read_bytes() == outs[1].read_bytes()
    assert atlas.metadata["tables"][0]["file"] == "boxes.csv" and atlas.metadata["held_out"]["folds"] == 2
    assert len(atlas.metadata["candidates"]) > 5


def test_an_atlas_needs_a_table(tmp_path):
    with pytest.raises(ValueError, match="`box_paths`"):
        build_atlas([], tmp_path / "a.safetensors")

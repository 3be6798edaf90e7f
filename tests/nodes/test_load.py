"""Loaders: shared and unloadable pipelines, radiographs at full depth, pseudomask files."""

import gc
from pathlib import Path

import numpy as np
import pytest
import torch
from comfy_pack import load_pack, pack, run
from dicom_cases import IDENTITY
from dicom_cases import write as write_dicom
from PIL import Image


def input_folder():
    import folder_paths

    return Path(folder_paths.get_input_directory())


def load(**chosen):
    return run("X2XLoadPipeline", **{"checkpoint": "demo (bundled)", "dtype": "auto", **chosen})[0]


def test_the_same_checkpoint_is_loaded_once():
    demo = load()
    assert demo.pipe.config.recommended["twin"] is True
    assert load() is demo
    assert load(dtype="float32") is demo  # what auto is on a CPU
    other = load(dtype="bfloat16")
    assert other is not demo and other.pipe.dtype == torch.bfloat16


def test_unused_pipelines_are_released():
    known = len(pack("work.checkpoints")._shared)
    loaded = load(dtype="float16")
    assert len(pack("work.checkpoints")._shared) == known + 1
    del loaded
    gc.collect()
    assert len(pack("work.checkpoints")._shared) == known


def test_comfyui_moves_the_networks(tiny):
    import comfy.model_management as memory

    tiny.ready()
    assert tiny.patcher in memory.loaded_models()
    assert tiny.patcher.loaded_size() == tiny.patcher.model_size() > 1e5
    memory.unload_all_models()
    assert tiny.patcher not in memory.loaded_models()
    assert tiny.patcher.loaded_size() == 0
    tiny.ready()
    assert tiny.patcher in memory.loaded_models()


def test_the_bundled_samples_are_radiographs():
    files = pack("work.radiograph_folders").folder_files("samples (bundled)")
    assert [file.name for file in files] == ["radiograph-2.png", "radiograph-3.png", "radiograph.png"]


def test_folders_in_diffusers_layout_are_found(tiny_folder):
    import folder_paths

    place = Path(folder_paths.models_dir) / "diffusers" / "group" / "tiny"
    place.parent.mkdir(exist_ok=True)
    if not place.exists():
        place.symlink_to(tiny_folder)
    assert "diffusers/group/tiny" in pack("work.folders").checkpoint_places()
    loaded = load(checkpoint="diffusers/group/tiny")
    assert loaded.pipe.unet.config.in_channels == 8
    image = torch.rand(1, 64, 64, 1).expand(-1, -1, -1, 3)
    relevance, _ = run(
        "X2XRelevanceMap", pipeline=loaded, image=image, instruction="Add the finding of edema.", noise_level="0.8",
        draws=1, seed=0,
    )  # fmt: skip
    assert relevance.shape == (1, 64, 64)


def test_another_kind_of_checkpoint_is_refused(tmp_path):
    (tmp_path / "model_index.json").write_text('{"_class_name": "Flux2KleinPipeline"}')
    with pytest.raises(ValueError, match="holds a Flux2KleinPipeline, which is not an InstructPix2Pix checkpoint"):
        pack("work.checkpoints")._read(tmp_path, torch.float32)


def test_missing_checkpoints_are_rejected():
    answer = load_pack()["X2XLoadPipeline"].validate_inputs(checkpoint="diffusers/none")
    assert "`checkpoint` 'diffusers/none' was not found on this machine" in answer


def test_sixteen_bits_are_kept():
    values = np.arange(64 * 64, dtype=np.uint16).reshape(64, 64) * 16
    Image.fromarray(values).save(input_folder() / "deep.png")
    image, mask, info = run("X2XLoadRadiograph", image="deep.png")
    assert torch.equal((image[0, ..., 0] * 65535).round().to(torch.int32), torch.from_numpy(values.astype(np.int32)))
    assert not mask.any() and "16-bit grey" in info


def test_the_painted_area_is_the_mask():
    grey = np.full((8, 8), 100, np.uint8)
    alpha = np.full((8, 8), 255, np.uint8)
    alpha[2:4] = 0
    Image.merge("RGBA", [Image.fromarray(grey)] * 3 + [Image.fromarray(alpha)]).save(input_folder() / "painted.png")
    image, mask, _ = run("X2XLoadRadiograph", image="painted.png [input]")
    assert torch.allclose(image, torch.full((1, 8, 8, 3), 100 / 255))  # the picture under the paint stays
    assert mask[0, 2:4].eq(1).all() and mask.sum() == 16


def test_missing_files_are_rejected():
    node = load_pack()["X2XLoadRadiograph"]
    assert "`image` 'none.png' was not found in ComfyUI's input folder" in node.validate_inputs(image="none.png")
    assert node.validate_inputs(image="instructx2x-sample.png") is True


def test_a_changed_file_is_read_again():
    node = load_pack()["X2XLoadRadiograph"]
    place = input_folder() / "changing.png"
    Image.new("L", (4, 4), 10).save(place)
    before = node.fingerprint_inputs(image="changing.png")
    assert node.fingerprint_inputs(image="changing.png") == before
    Image.new("L", (4, 4), 11).save(place)
    assert node.fingerprint_inputs(image="changing.png") != before


def test_the_bundled_atlas_blocks_the_mask_output():
    from comfy_execution.graph_utils import ExecutionBlocker

    atlas, mask, info = run("X2XLoadPseudomask", file="atlas (bundled)")
    assert "Effusion" in atlas.names and "Effusion" in info
    assert isinstance(mask, ExecutionBlocker) and "connect the output `atlas`" in mask.message


def test_published_masks_from_a_folder_and_alone():
    import folder_paths
    from comfy_execution.graph_utils import ExecutionBlocker

    folder = Path(folder_paths.models_dir) / "instructx2x" / "masks"
    folder.mkdir(exist_ok=True)
    values = np.zeros((16, 16), np.uint8)
    values[8:] = 1
    np.save(folder / "pseudo_mask_Effusion.npy", values)
    atlas, _, _ = run("X2XLoadPseudomask", file="instructx2x/masks")
    assert atlas.published and atlas.names == ("Effusion",)
    alone, mask, _ = run("X2XLoadPseudomask", file="instructx2x/masks/pseudo_mask_Effusion.npy")
    assert isinstance(alone, ExecutionBlocker) and "connect the output `mask`" in alone.message
    assert torch.equal(mask[0], torch.from_numpy(values).float())


def test_a_picture_is_a_mask():
    Image.new("L", (6, 4), 255).save(input_folder() / "white.png")
    _, mask, info = run("X2XLoadPseudomask", file="input/white.png")
    assert mask.shape == (1, 4, 6) and (mask == 1).all() and "100% editable" in info


def test_arrays_that_are_not_masks_are_rejected():
    np.save(input_folder() / "words.npy", np.array(["a"]))
    with pytest.raises(ValueError, match="`file` must be an array"):
        run("X2XLoadPseudomask", file="input/words.npy")


def test_a_single_file_is_the_folders_checkpoint(tiny, tiny_folder):
    import folder_paths

    from x2x_core.conversion.convert import convert

    convert(tiny_folder, Path(folder_paths.models_dir) / "checkpoints" / "tiny.safetensors")
    assert "checkpoints/tiny.safetensors" in pack("work.folders").checkpoint_places()
    loaded = load(checkpoint="checkpoints/tiny.safetensors", dtype="float32")
    own = tiny.pipe.unet.state_dict()
    assert all(torch.equal(value, own[name]) for name, value in loaded.pipe.unet.state_dict().items())
    ids = loaded.pipe.tokenizer("edema").input_ids
    assert ids == tiny.pipe.tokenizer("edema").input_ids
    assert not list(Path(folder_paths.get_temp_directory()).glob("instructx2x-*"))


def test_dicom_is_read_and_shown_without_identifying_data():
    import folder_paths

    values = np.array([[0, 1000], [2000, 4000]], np.uint16)
    tags = {**IDENTITY, "PatientOrientation": ["R", "F"], "WindowCenter": 2000.5, "WindowWidth": 4001}
    write_dicom(input_folder() / "Kowalska", values, 12, **tags)
    assert "Kowalska" in load_pack()["X2XLoadRadiograph"].define_schema().inputs[0].options
    output = load_pack()["X2XLoadRadiograph"].execute(image="Kowalska")
    image, mask, info = output.result
    assert torch.allclose(image[0, ..., 0], torch.tensor([[0.25, 0], [1, 0.5]]), atol=1e-4) and not mask.any()
    assert info.startswith("DICOM: 2 x 2 pixels, 16-bit grey.") and "left and right were swapped" in info
    assert not [value for value in IDENTITY.values() if value in info] and "Kowalska" not in info
    [shown] = output.ui["images"]
    assert (
        np.asarray(Image.open(Path(folder_paths.get_temp_directory()) / shown["filename"])) == [[64, 0], [255, 128]]
    ).all()


def test_a_folder_of_dicom_and_pictures_is_read():
    folder = input_folder() / "mixed"
    folder.mkdir()
    for name in ("1.2.840.5", "1.2.840.6"):
        write_dicom(folder / name, np.array([[0, 255]], np.uint8))
    Image.new("L", (2, 1), 9).save(folder / "a.png")
    images, names, _ = run("X2XLoadFolder", folder="mixed", skip=0, limit=0, save_to="b")
    assert names == ["b/1.2.840.5", "b/1.2.840.6", "b/a"]
    assert images[0][0, 0, :, 0].tolist() == [0, 1]


def test_invalid_dicom_files_are_rejected_with_the_reason():
    write_dicom(input_folder() / "slice.dcm", np.zeros((2, 2), np.uint8), Modality="CT")
    with pytest.raises(ValueError, match="must be a radiograph"):
        run("X2XLoadRadiograph", image="slice.dcm")


def test_presets_use_the_settings_in_a_single_file(tiny_folder, tmp_path):
    import json
    import shutil

    from safetensors.torch import save_file

    from x2x_core.conversion.convert import convert

    folder = shutil.copytree(tiny_folder, tmp_path / "folder")
    index = json.loads((folder / "model_index.json").read_text())
    (folder / "model_index.json").write_text(json.dumps({**index, "recommended_num_inference_steps": 7}))
    convert(folder, tmp_path / "single.safetensors")
    recommendations = pack("routes").recommendations
    assert recommendations(tmp_path / "single.safetensors")["recommended_num_inference_steps"] == 7
    save_file({"a": torch.ones(1)}, tmp_path / "others.safetensors")
    assert recommendations(tmp_path / "others.safetensors") == {}

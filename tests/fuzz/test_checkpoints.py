"""Model folders from strangers: pickles, unknown classes, remote code, sizes beyond their weights."""

import json
import os
import pickle
import shutil

import pytest
import torch
from fuzz_child import MEMORY
from fuzz_seeds import GREY, seeds
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

FACTOR = int(os.environ.get("X2X_FUZZ_FACTOR", "1"))


class Trap:
    """Makes a file when it is unpickled."""

    def __init__(self, path):
        self.path = path

    def __reduce__(self):
        return os.mkdir, (str(self.path),)


@pytest.fixture
def folder(tiny_folder, tmp_path):
    return shutil.copytree(tiny_folder, tmp_path / "checkpoint")


def change(path, **entries):
    path.write_text(json.dumps({**json.loads(path.read_text()), **entries}))


def weights_of(folder, part):
    return next(path for path in (folder / part).iterdir() if path.suffix == ".safetensors")


def test_the_folder_is_loaded_as_it_is(child, folder):
    assert child.give("checkpoint", "", folder) == ""


@pytest.mark.parametrize("part", ["unet", "vae", "text_encoder"])
@pytest.mark.parametrize("kind", ["module", "state", "raw"])
def test_pickles_are_never_run(child, folder, tmp_path, part, kind):
    weights, trap = weights_of(folder, part), tmp_path / "sprung"
    target = weights.with_name("pytorch_model.bin" if part == "text_encoder" else "diffusion_pytorch_model.bin")
    if kind == "raw":
        target.write_bytes(pickle.dumps(Trap(trap)))
    else:
        torch.save(Trap(trap) if kind == "module" else {"weight": torch.zeros(2), "b": Trap(trap)}, target)
    weights.unlink()
    assert child.give("checkpoint", "", folder) and not trap.exists()


@pytest.mark.parametrize(
    "entry",
    [
        ["os", "system"], ["subprocess", "Popen"], ["builtins", "eval"], ["custom", "Evil"], ["diffusers", "NoModel"],
        ["diffusers", "__init__"], ["transformers", "pipeline"], ["..", "x"], ["diffusers", None], [None, "a"], [1, 2],
        "os", {"a": 1}, ["diffusers"], [], ["torch", "load"], ["x2x_core", "main"], ["custom/../x", "Evil"],
    ],
    ids=str,
)  # fmt: skip
@pytest.mark.parametrize("part", ["unet", "scheduler", "added"])
def test_unknown_classes_and_code_of_the_folder_are_refused(child, folder, tmp_path, part, entry):
    trap = tmp_path / "sprung"
    code = f"import os\nos.mkdir({str(trap)!r})\nclass Evil: pass\n"
    (folder / part).mkdir(exist_ok=True)
    for place in (folder / part / "custom.py", folder / "custom.py", folder / "pipeline.py", folder / f"{part}.py"):
        place.write_text(code)
    change(folder / "model_index.json", **{part: entry})
    names_none = not isinstance(entry, list) or not entry or not isinstance(entry[0], str)
    assert child.give("checkpoint", "", folder) or (part == "added" and names_none)  # such an entry is no part
    assert not trap.exists()


@pytest.mark.parametrize("name", ["_class_name", "unet", "custom_pipeline", "auto_map", "_diffusers_version"])
@pytest.mark.parametrize(
    "value", ["Evil", "../x", "custom.Evil", {"AutoModel": "custom.Evil"}, None, 7, "a\0b"], ids=str
)
def test_odd_entries_of_the_index_give_a_pipeline_or_one_sentence(child, folder, tmp_path, name, value):
    trap = tmp_path / "sprung"
    (folder / "custom.py").write_text(f"import os\nos.mkdir({str(trap)!r})\nclass Evil: pass\n")
    change(folder / "model_index.json", **{name: value})
    child.give("checkpoint", "", folder)
    assert not trap.exists()


HUGE = {
    "unet": {
        "block_out_channels": [2**28, 2**28], "layers_per_block": 10**7, "cross_attention_dim": 2**30,
        "in_channels": 2**29, "norm_num_groups": 0, "attention_head_dim": 0, "sample_size": -1,
        "transformer_layers_per_block": 10**6,
    },
    "vae": {"block_out_channels": [2**28] * 2, "latent_channels": 2**30, "layers_per_block": 10**7},
    "text_encoder": {
        "hidden_size": 2**26, "vocab_size": 2**36, "num_hidden_layers": 10**6, "intermediate_size": 2**40,
        "max_position_embeddings": 2**40, "num_attention_heads": 0,
    },
}  # fmt: skip


@pytest.mark.parametrize(("part", "name"), [(part, name) for part, entries in HUGE.items() for name in entries])
def test_sizes_that_the_weights_do_not_have_are_refused_before_memory_is_taken(child, folder, part, name):
    change(folder / part / "config.json", **{name: HUGE[part][name]})
    assert child.give("checkpoint", "", folder) or name == "sample_size"  # no weight depends on it
    assert child.peak < MEMORY


NAMES = (
    "model_index.json", "unet/config.json", "vae/config.json", "text_encoder/config.json", "tokenizer/tokenizer.json",
    "tokenizer/tokenizer_config.json", "tokenizer/vocab.json", "scheduler/scheduler_config.json", "weights",
)  # fmt: skip
_values = st.sampled_from([None, -1, 0, 1, 2**31, 2**63, 1.5, float("nan"), "", "a", [], {}, True, [None], "../../x"])


def test_changed_entries_and_damaged_files_give_a_pipeline_or_one_sentence(child, tiny_folder, tmp_path):
    count = iter(range(10**6))

    @settings(max_examples=8 * FACTOR, suppress_health_check=list(HealthCheck))
    @given(
        name=st.sampled_from(NAMES),
        share=st.floats(0, 1, exclude_max=True),
        value=_values,
        kind=st.sampled_from(range(3)),
    )
    def check(name, share, value, kind):
        folder = shutil.copytree(tiny_folder, tmp_path / f"{next(count)}")
        path = weights_of(folder, "unet") if name == "weights" else folder / name
        if not path.is_file():
            return
        data = path.read_bytes()
        if kind == 0 and name != "weights" and isinstance(entries := json.loads(data), dict) and entries:
            key = sorted(entries)[int(share * len(entries))]
            path.write_text(json.dumps({**entries, key: value}))
        elif kind == 1:
            path.write_bytes(data[: int(share * len(data))])
        else:
            place = int(share * min(len(data), 4000))
            path.write_bytes(data[:place] + b"\xff" + data[place + 1 :])
        child.give("checkpoint", "", folder)
        shutil.rmtree(folder)

    check()


def test_a_folder_of_other_files_is_no_checkpoint(child, tmp_path):
    (tmp_path / "a.png").write_bytes(seeds("read")["grey.png"])
    assert "model_index.json" in child.give("checkpoint", "", tmp_path) and GREY.size

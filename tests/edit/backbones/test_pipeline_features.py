"""What diffusers does to a loaded pipeline applies to its edits: LoRA layers, offloading, quantised layers."""

import numpy as np
import pytest
import torch
from backbone_models import MAKERS
from peft import LoraConfig
from peft.utils import get_peft_model_state_dict
from PIL import Image
from tiny_models import seeded

from x2x_core import X2XEdit

NETWORKS = {"instruct_pix2pix": "unet", "kontext": "transformer", "klein": "transformer"}
MASK = torch.zeros(1, 1, 20, 26)
MASK[..., 4:15, 3:20] = 1


@pytest.fixture(params=list(NETWORKS))
def made(request):
    return MAKERS[request.param](), NETWORKS[request.param]


def photo():
    small = np.random.default_rng(0).integers(0, 256, (5, 6, 3), dtype=np.uint8)
    return Image.fromarray(small).resize((26, 20), Image.Resampling.BICUBIC)


def edited(pipe):
    """Return an edit inside the mask, and check that outside it nothing changed."""
    given = {"guidance_mask": MASK, "num_inference_steps": 2, "output_type": "np"}
    after = X2XEdit(pipe)(photo(), "Make the car red.", generator=seeded(), **given).images[0]
    inside = MASK[0, 0].bool().numpy()
    assert (after == np.asarray(photo()) / np.float32(255))[~inside].all()
    return after


def test_loaded_lora_layers_change_the_edit_inside_the_mask_alone(made, tmp_path):
    pipe, name = made
    before, network = edited(pipe), getattr(pipe, name)
    torch.manual_seed(0)
    network.add_adapter(LoraConfig(r=4, target_modules=["to_q", "to_v"], init_lora_weights=False))
    type(pipe).save_lora_weights(tmp_path, **{f"{name}_lora_layers": get_peft_model_state_dict(network)})
    network.delete_adapters("default")
    assert np.array_equal(edited(pipe), before)
    pipe.load_lora_weights(tmp_path, adapter_name="style")
    with_style = edited(pipe)
    assert np.abs(with_style - before).max() > 1e-3
    pipe.set_adapters("style", 0.0)
    assert np.allclose(edited(pipe), before, atol=1e-5)
    pipe.unload_lora_weights()
    assert np.array_equal(edited(pipe), before)


@pytest.mark.parametrize("way", ["enable_model_cpu_offload", "enable_sequential_cpu_offload"])
def test_offloading_changes_nothing(made, way):
    pipe, name = made
    before = edited(pipe)
    getattr(pipe, way)(device="cpu")
    assert hasattr(getattr(pipe, name), "_hf_hook")
    assert np.array_equal(edited(pipe), before) and np.array_equal(edited(pipe), before)
    place = {values.device.type for values in getattr(pipe, name).parameters()}
    assert place == ({"meta"} if way == "enable_sequential_cpu_offload" else {"cpu"})


@pytest.mark.filterwarnings("ignore:.*quantiz.*:DeprecationWarning")
def test_quantised_layers_edit_nearly_as_before(made):
    pipe, name = made
    before, network = edited(pipe), getattr(pipe, name)
    setattr(pipe, name, torch.ao.quantization.quantize_dynamic(network, {torch.nn.Linear}, dtype=torch.qint8))
    assert any("quantized" in type(module).__module__ for module in getattr(pipe, name).modules())
    after = edited(pipe)
    assert not np.array_equal(after, before)
    assert np.abs(after - before).mean() < 0.05

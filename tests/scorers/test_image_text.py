"""Models of images and texts, and vision models, from folders of the Hugging Face library; all tiny and random."""

import pytest
import torch
from scorer_cases import images
from torchmetrics.functional.multimodal import clip_score
from transformers import (
    CLIPConfig,
    CLIPImageProcessor,
    CLIPModel,
    CLIPProcessor,
    CLIPTokenizer,
    Dinov2Config,
    Dinov2Model,
)

from x2x_core.common.errors import InputError, InputNotFoundError
from x2x_core.scorers.features import load_features
from x2x_core.scorers.image_text import DualEncoder, ImageTextScorer

SIZE = 32
TEXTS = ["left pleural effusion", "no edema", "a radiograph"]


class Embedding(torch.nn.Module):
    """A model whose features are tensors, as torchmetrics expects them."""

    def __init__(self, model):
        super().__init__()
        self.model, self.config = model, model.config

    def get_image_features(self, pixel_values):
        return self.model.get_image_features(pixel_values).pooler_output

    def get_text_features(self, input_ids, attention_mask):
        return self.model.get_text_features(input_ids, attention_mask).pooler_output


def image_processor():
    return CLIPImageProcessor(
        size={"shortest_edge": SIZE}, crop_size={"height": SIZE, "width": SIZE}, image_mean=[0.5] * 3,
        image_std=[0.2] * 3,
    )  # fmt: skip


@pytest.fixture(scope="module")
def clip_folder(tiny_folder, tmp_path_factory):
    folder = tmp_path_factory.mktemp("clip")
    torch.manual_seed(0)
    tokenizer = CLIPTokenizer.from_pretrained(tiny_folder / "tokenizer", local_files_only=True)
    small = {"hidden_size": 16, "intermediate_size": 16, "num_hidden_layers": 1, "num_attention_heads": 2}
    ends = {"bos_token_id": tokenizer.bos_token_id, "eos_token_id": tokenizer.eos_token_id}
    config = CLIPConfig(
        text_config={**small, **ends, "vocab_size": len(tokenizer), "max_position_embeddings": 77},
        vision_config={**small, "image_size": SIZE, "patch_size": 8},
        projection_dim=8,
    )
    CLIPModel(config).save_pretrained(folder)
    CLIPProcessor(image_processor(), tokenizer).save_pretrained(folder)
    return folder


def test_the_fit_is_the_clip_score_of_torchmetrics(clip_folder):
    scorer = DualEncoder.load(clip_folder)
    found = scorer.similarity(images(3, 40), TEXTS)
    assert isinstance(scorer, ImageTextScorer) and found.shape == (3,) and scorer.name == clip_folder.name
    eight_bits = (images(3, 40) * 255).round().byte().expand(-1, 3, -1, -1)
    model = Embedding(scorer.model)
    for number, text in enumerate(TEXTS):
        # torchmetrics gives 100 times the cosine, cut at 0
        expected = float(clip_score(eight_bits[number], text, lambda: (model, scorer.processor))) / 100
        assert max(0.0, float(found[number])) == pytest.approx(expected, abs=1e-5)
    assert found.abs().max() <= 1 and len({round(float(value), 6) for value in found}) == 3


def test_what_does_not_fit_is_refused(clip_folder, tmp_path):
    with pytest.raises(InputError, match="`texts` must be one for each of 3 images, got 1"):
        DualEncoder.load(clip_folder).similarity(images(3), TEXTS[:1])
    with pytest.raises(InputNotFoundError, match="no model of images and texts"):
        DualEncoder.load(tmp_path / "none")
    with pytest.raises(InputError, match="must hold a model of images and texts"):
        DualEncoder.load(tmp_path)


def test_a_vision_model_gives_its_pooled_output(tmp_path):
    torch.manual_seed(0)
    config = Dinov2Config(
        hidden_size=16, num_hidden_layers=1, num_attention_heads=2, image_size=SIZE, patch_size=8, mlp_ratio=1
    )
    model = Dinov2Model(config).eval()
    model.save_pretrained(tmp_path)
    image_processor().save_pretrained(tmp_path)
    source = load_features(f"transformers:{tmp_path}")
    found = source.features(images(2, SIZE))
    pixels = ((images(2, SIZE) * 255).round() / 255).expand(-1, 3, -1, -1)
    assert torch.allclose(found, model((pixels - 0.5) / 0.2).pooler_output, atol=1e-4) and found.shape == (2, 16)
    with pytest.raises(InputNotFoundError, match="no vision model"):
        load_features("transformers:nowhere")

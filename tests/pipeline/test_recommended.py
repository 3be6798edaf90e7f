"""A checkpoint's recommendations: one entry of its config, and the old form for one release."""

import json
import warnings

import pytest
from tiny_models import make_pipeline

from x2x_core import InstructX2XPipeline

OLD = {"recommended_guidance_scale": 2.5, "recommended_relevance_noise_level": [0.5, 0.8], "recommended_twin": None}
NEW = {"guidance_scale": 2.5, "relevance_noise_level": [0.5, 0.8]}


@pytest.fixture
def old_folder(pipe, tmp_path):
    """A checkpoint with recommendations in the old form."""
    pipe.save_pretrained(tmp_path / "old")
    index = tmp_path / "old" / "model_index.json"
    entries = {name: value for name, value in json.loads(index.read_text()).items() if name != "recommended"}
    index.write_text(json.dumps({**entries, **OLD}))
    return tmp_path / "old"


def test_the_old_form_is_read_without_a_warning_and_saved_in_the_new(old_folder, tmp_path):
    with warnings.catch_warnings():
        warnings.simplefilter("error", FutureWarning)
        pipe = InstructX2XPipeline.from_pretrained(old_folder)
    assert pipe.config.recommended == NEW
    pipe.save_pretrained(tmp_path / "new")
    index = json.loads((tmp_path / "new" / "model_index.json").read_text())
    assert index["recommended"] == NEW and not [name for name in index if name.startswith("recommended_")]
    assert InstructX2XPipeline.from_pretrained(tmp_path / "new").config.recommended == NEW


def test_the_bundled_checkpoint_has_its_recommendations():
    from x2x_core.common.bundled import bundled_path
    from x2x_core.edit.loading import read_index
    from x2x_core.edit.recommended import recommendations_of
    from x2x_core.edit.settings import RECOMMENDABLE

    recommended = recommendations_of(read_index(bundled_path("demo")), RECOMMENDABLE)
    assert recommended["num_inference_steps"] == 1 and recommended["twin"] is True
    assert recommended["relevance_noise_level"] == 1.0  # its predictions are those of the one step


def test_the_old_keywords_are_accepted_with_a_warning_that_names_their_end(shared_components, old_folder):
    expected = r"`recommended_guidance_scale` is deprecated: pass `recommended=.* ends with version 0\.3"
    with pytest.warns(FutureWarning, match=expected):
        pipe = make_pipeline(**shared_components, recommended_guidance_scale=3.0, recommended_twin=None)
    assert pipe.config.recommended == {"guidance_scale": 3.0}
    with pytest.warns(FutureWarning, match=expected):
        loaded = InstructX2XPipeline.from_pretrained(old_folder, recommended_guidance_scale=3.0)
    assert loaded.config.recommended == {**NEW, "guidance_scale": 3.0}


def test_from_pipe_keeps_them(shared_components):
    pipe = make_pipeline(**shared_components, recommended=NEW, canonical_prompts=True)
    made = InstructX2XPipeline.from_pipe(pipe)
    assert made.config.recommended == NEW and made.config.canonical_prompts


def test_unknown_keywords_and_settings_are_refused(shared_components):
    with pytest.raises(TypeError, match="takes no argument `strength`"):
        make_pipeline(**shared_components, strength=1)
    for wrong in ({"recommended": {"soft_edge": 0.1}}, {"recommended_soft_edge": 0.1}):
        with pytest.raises(ValueError, match=r"`recommended` must name some of .* got 'soft_edge'"):
            make_pipeline(**shared_components, **wrong)


@pytest.mark.parametrize("wrong", [{"recommended": {"mask_threshold": 2}}, {"recommended_mask_threshold": 2}])
@pytest.mark.filterwarnings("ignore:`recommended_:FutureWarning")
def test_a_recommended_value_out_of_range_is_refused_where_the_pipeline_is_made(shared_components, tiny_folder, wrong):
    expected = r"`mask_threshold` of `recommended` must lie in \[0, 1\], got 2"
    with pytest.raises(ValueError, match=expected):
        InstructX2XPipeline(**shared_components, **wrong)
    with pytest.raises(ValueError, match=expected):
        InstructX2XPipeline.from_pretrained(tiny_folder, **wrong)

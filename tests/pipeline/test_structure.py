"""The shape of the pipeline's code that import rules cannot state."""

import inspect
import re
from pathlib import Path

import x2x_core
from x2x_core import InstructX2XPipeline

ROOT = Path(x2x_core.__file__).parent
# The layout of a model's inputs, which backbones alone may know. diffusers prescribes the interface of a processor.
LAYOUT = ("encoder_hidden_states", "added_cond_kwargs", "_encode_prompt(", "prepare_ip_adapter_image_embeds(")
KNOWS_LAYOUT = ("edit/backbones/", "edit/attention/processor.py")


def test_only_backbones_know_how_a_model_is_called():
    knows = {
        path.relative_to(ROOT).as_posix()
        for room in ("edit", "guidance")
        for path in (ROOT / room).rglob("*.py")
        if any(word in path.read_text(encoding="utf-8") for word in LAYOUT)
    }
    assert "edit/backbones/instruct_pix2pix.py" in knows
    assert [name for name in knows if not name.startswith(KNOWS_LAYOUT)] == []
    stages = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "edit").glob("*.py")}
    assert [
        name for name, text in stages.items() if re.search(r"pipe\.(unet|transformer)\b|vae\.(en|de)code", text)
    ] == []


def test_guidance_is_computed_without_diffusers():
    sources = {path.name: path.read_text(encoding="utf-8") for path in (ROOT / "guidance").rglob("*.py")}
    assert [name for name, text in sources.items() if re.search("^(from|import) diffusers", text, re.MULTILINE)] == []


def test_each_public_call_reads_as_a_list_of_stages():
    for call in (InstructX2XPipeline.__call__, InstructX2XPipeline.guidance, InstructX2XPipeline.relevance):
        lines = inspect.getsource(inspect.unwrap(call)).split('"""')[-1].strip().splitlines()
        assert len(lines) <= 15


def test_the_stages_are_listed_in_the_pipeline_s_docstring():
    text = (ROOT / "pipeline.py").read_text(encoding="utf-8").split('"""')[1]
    for stage in ("request", "region", "encoding", "looking", "denoising", "composing"):
        assert f"`{stage}`" in text and (ROOT / "edit" / f"{stage}.py").is_file()

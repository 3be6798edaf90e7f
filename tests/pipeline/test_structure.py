"""The shape of the pipeline's code that import rules cannot state."""

import inspect
import re
from pathlib import Path

import x2x_core
from x2x_core import InstructX2XPipeline

ROOT = Path(x2x_core.__file__).parent
# The layout of the U-Net's inputs, and the files that may know it. diffusers prescribes the interface of a processor.
LAYOUT = ("encoder_hidden_states", "added_cond_kwargs", "_encode_prompt(", "prepare_ip_adapter_image_embeds(")
KNOWS_LAYOUT = {"edit/unet.py", "edit/attention/processor.py"}


def test_only_one_stage_file_knows_how_the_unet_is_called():
    found = {
        str(path.relative_to(ROOT))
        for room in ("edit", "guidance")
        for path in (ROOT / room).rglob("*.py")
        if any(word in path.read_text(encoding="utf-8") for word in LAYOUT)
    }
    assert found == KNOWS_LAYOUT
    calls = [path for path in (ROOT / "edit").glob("*.py") if "pipe.unet(" in path.read_text(encoding="utf-8")]
    assert [path.name for path in calls] == ["unet.py"]


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

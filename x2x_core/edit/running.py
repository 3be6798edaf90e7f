"""The stages of each public call, in order: from a checked request to its output."""

from __future__ import annotations

from collections.abc import Callable

from x2x_core.imaging.canvases import Canvases

from .composing import compose
from .denoising import denoise
from .describing import describe
from .editor import Editor
from .encoding import encode
from .hinting import hint_place
from .looking import around_extents, find_guidance, find_relevance
from .outputs import InstructX2XGuidanceOutput, InstructX2XPipelineOutput, InstructX2XRelevanceOutput
from .placing import place_outputs
from .region import Region, find_region
from .request import Request
from .scales import Scales


def run_relevance(editor: Editor, request: Request) -> InstructX2XRelevanceOutput:
    """Find relevance maps."""
    backbone = editor.backbone
    region, canvases = _place(editor, request)
    encoded = hint_place(request.hinting, encode(backbone, request.encoding, canvases), region)
    relevance = around_extents(find_relevance(backbone, request.guidance.relevance, encoded), region, canvases)
    backbone.pipe.maybe_free_model_hooks()
    return InstructX2XRelevanceOutput.of(relevance, canvases, request.instructions)


def run_guidance(editor: Editor, request: Request) -> InstructX2XGuidanceOutput:
    """Find guidance maps and masks."""
    backbone = editor.backbone
    region, canvases = _place(editor, request)
    encoded = hint_place(request.hinting, encode(backbone, request.encoding, canvases), region)
    guidance = find_guidance(backbone, request.guidance, encoded, region)
    backbone.pipe.maybe_free_model_hooks()
    return InstructX2XGuidanceOutput.of(guidance, region, canvases, request.instructions)


def run_edit(editor: Editor, request: Request, begin: Callable[[Canvases, Scales], None]) -> InstructX2XPipelineOutput:
    """Edit pictures; `begin` is called before the first prediction, to set what callbacks read."""
    backbone = editor.backbone
    backbone.pipe._interrupt = False
    region, canvases = _place(editor, request)
    encoded = hint_place(request.hinting, encode(backbone, request.encoding, canvases), region)
    begin(canvases, request.scales)
    guidance = find_guidance(backbone, request.guidance, encoded, region)
    edited = denoise(backbone, request.denoising, encoded, guidance)
    composed = compose(backbone, request.composing, encoded, guidance, edited)
    backbone.pipe.maybe_free_model_hooks()
    changes = describe(composed, region, request.composing.chests)
    return InstructX2XPipelineOutput.of(composed, guidance, region, canvases, request.instructions, changes)


def _place(editor: Editor, request: Request) -> tuple[Region | None, Canvases]:
    """Find the region, and the canvas of each output, which may show a crop around it."""
    region = None if request.region is None else find_region(editor.pseudomasks, request.region)
    return region, place_outputs(request.placing, region)

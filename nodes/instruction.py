"""X2XInstruction: an instruction put together from menus."""

from __future__ import annotations

from comfy_api.latest import io

from x2x_core.language.clauses import Operation
from x2x_core.language.vocabulary import FINDINGS, LEVELS, SIDES, ZONES

from . import sockets

OPEN = "any"  # the menus' word for what the instruction leaves open


class X2XInstruction(io.ComfyNode):
    """One clause from menus, behind those that came before."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        return io.Schema(
            node_id="X2XInstruction",
            display_name="Instruction",
            category=sockets.INSTRUCT,
            description="Puts an instruction together from menus. Connect `instruction` to `previous` of another one "
            "to ask for several changes at once. Any text can take its place.",
            inputs=[
                io.Combo.Input(
                    "operation",
                    options=[one.value for one in Operation],
                    default="add",
                    tooltip="Add a finding, remove it, or change its level.",
                ),
                io.Combo.Input(
                    "finding",
                    options=list(FINDINGS),
                    default="pleural effusion",
                    tooltip="What to add, remove or change. The demo checkpoint knows pleural effusion, consolidation, "
                    "lung opacity, pneumonia, atelectasis, edema, cardiomegaly and pneumothorax.",
                ),
                io.Combo.Input(
                    "level",
                    options=[OPEN, *LEVELS],
                    default="moderate",
                    tooltip="How strong it is to be (add), or is (remove); for a change, the level that it has now.",
                ),
                io.Combo.Input(
                    "level_to",
                    options=[OPEN, *LEVELS],
                    default=OPEN,
                    tooltip="For a change: the level that it is to have. Add and remove have no second level.",
                ),
                io.Combo.Input(
                    "side",
                    options=[OPEN, *SIDES],
                    default="right",
                    tooltip="The patient's side; the patient's right is on the image's left.",
                ),
                io.Combo.Input("zone", options=[OPEN, *ZONES], default=OPEN, tooltip="Which part of the lung."),
                io.String.Input(
                    "previous",
                    optional=True,
                    force_input=True,
                    tooltip="An instruction that this one is added to.",
                ),
            ],
            outputs=[
                io.String.Output(
                    "instruction",
                    display_name="instruction",
                    tooltip="The sentence, for every node that takes an instruction.",
                ),
                io.String.Output(
                    "understood",
                    display_name="understood",
                    tooltip="What the sentence is read as, clause by clause.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, operation, level, level_to) -> bool | str:
        operations, levels = tuple(one.value for one in Operation), (OPEN, *LEVELS)
        wrong = sockets.check_choices(
            operation=(operation, operations), level=(level, levels), level_to=(level_to, levels)
        )
        if wrong:
            return wrong
        if operation == "change" and level_to is not None and level_to in (OPEN, level):
            return "`level_to` must be chosen for a change, another one than `level`."
        return True

    @classmethod
    def execute(
        cls,
        operation: str,
        finding: str,
        level: str,
        level_to: str,
        side: str,
        zone: str,
        previous: str | None = None,
    ) -> io.NodeOutput:
        from .work.sentences import explain, make_clause, unused

        clause = make_clause(operation, finding, level, level_to, side, zone)
        sentence = f"{(previous or '').strip()} {clause}".strip()
        understood = "\n".join([explain(sentence), *unused(operation, finding, level_to, side)])
        return io.NodeOutput(sentence, understood, ui={"x2x_text": [f"{sentence}\n{understood}"]})

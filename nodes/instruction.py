"""X2XInstruction: compose an instruction from menus."""

from __future__ import annotations

from comfy_api.latest import io

from . import sockets
from .checks import check_menus
from .choices import ANY, FINDINGS, LEVELS, OPERATIONS, SIDES, ZONES
from .work.sentences import explain, make_clause, unused


class X2XInstruction(io.ComfyNode):
    """Write one clause from menus and append it to a previous instruction."""

    @classmethod
    def define_schema(cls) -> io.Schema:
        """Return the node's definition."""
        return io.Schema(
            node_id="X2XInstruction",
            display_name="Instruction",
            category=sockets.INSTRUCT,
            **sockets.search_aliases("prompt", "text", "finding", "report"),
            description="Compose an instruction from menus. To combine several changes, connect `instruction` to "
            "`previous` of another Instruction node. Any text can be used in place of this node.",
            inputs=[
                sockets.menu("operation", OPERATIONS, "add", "Add a finding, remove it, or change its level."),
                *_finding_inputs(),
                io.String.Input(
                    "previous",
                    optional=True,
                    force_input=True,
                    tooltip="An instruction that this clause is appended to.",
                ),
            ],
            outputs=[
                io.String.Output(
                    "instruction",
                    display_name="instruction",
                    tooltip="The instruction as text, for all nodes that take an instruction.",
                ),
                io.String.Output(
                    "understood",
                    display_name="understood",
                    tooltip="How the instruction is interpreted: clauses and their place, region, words left out.",
                ),
            ],
        )

    @classmethod
    def validate_inputs(cls, operation: str | None, level: str | None, level_to: str | None) -> bool | str:
        """Check that a change has a new level."""
        levels = (ANY, *LEVELS)
        if error := check_menus(operation=(operation, OPERATIONS), level=(level, levels), level_to=(level_to, levels)):
            return error
        if operation == "change" and level_to is not None and level_to in (ANY, level):
            return "`level_to` must be set for a change and differ from `level`."
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
        """Write the clause."""
        clause = make_clause(operation, finding, level, level_to, side, zone)
        sentence = f"{(previous or '').strip()} {clause}".strip()
        understood = "\n".join([explain(sentence), *unused(operation, finding, level_to, side)])
        return io.NodeOutput(sentence, understood, ui={"x2x_text": [f"{sentence}\n{understood}"]})


def _finding_inputs() -> list[sockets.Input]:
    """Return the menus that describe a finding."""
    return [
        sockets.menu(
            "finding",
            FINDINGS,
            "pleural effusion",
            "The finding to add, remove or change. The demo checkpoint was trained on pleural effusion, consolidation, "
            "lung opacity, pneumonia, atelectasis, edema, cardiomegaly and pneumothorax.",
        ),
        sockets.menu(
            "level",
            [ANY, *LEVELS],
            "moderate",
            "Severity or size. add: of the new finding. remove: of the finding to remove. change: the current level.",
        ),
        sockets.menu("level_to", [ANY, *LEVELS], ANY, "The new level for a change. Not used when adding or removing."),
        sockets.menu(
            "side",
            [ANY, *SIDES],
            "right",
            "The patient's side. The patient's right is on the left of the image.",
        ),
        sockets.menu("zone", [ANY, *ZONES], ANY, "The part of the lung."),
    ]

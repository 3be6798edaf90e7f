"""The public calls: from their arguments, in either order, to their output."""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any

from .arguments import CallKwargs
from .editor import Editor
from .outputs import InstructX2XGuidanceOutput, InstructX2XPipelineOutput, InstructX2XRelevanceOutput
from .request import Request, order_arguments, read_request

Output = InstructX2XRelevanceOutput | InstructX2XGuidanceOutput | InstructX2XPipelineOutput


def answer(
    editor: Editor,
    run: Callable[[Editor, Request], Output],
    kind: CallKwargs,
    positional: Sequence[Any],
    image: Any,
    prompt: Any,
    arguments: Mapping[str, Any],
) -> Any:
    """Check the arguments of a call, run its stages, and return its output, as a tuple with `return_dict=False`.

    Args:
        editor: the model, its pseudomasks and configuration.
        run: the stages, such as `x2x_core.edit.running.run_edit`.
        kind: names of the call's keyword arguments.
        positional: image and prompt, as far as they were given without names.
        image: given by name.
        prompt: given by name.
        arguments: the other arguments.

    Raises:
        InputError: an argument that can't be used.
        TypeError: arguments that no call takes.
    """
    image, prompt = order_arguments(positional, image, prompt)
    request = read_request(editor, kind, image, prompt, arguments)
    output = run(editor, request)
    return output if request.return_dict else output.all_fields()

"""The filter of MedGround-Bench: cases in which the finding's region is causally responsible for an answer.

Xiong et al., *Rethinking visual attribution for chest X-ray reasoning in large vision language models*, 2026
(arXiv:2605.20158). A case is kept if the model answers it right, if its answer flips where the finding is edited away,
and if it stays under both edits of the background. There the edits are RadEdit's, in annotated boxes, and all right
answers are yes; here they are this audit's.
"""

from __future__ import annotations

from collections.abc import Sequence

STEPS = ("right", "flips", "stays")


def passed_steps(truth: bool | None, before: bool | None, edited: bool | None, elsewhere: Sequence[bool | None]) -> int:
    """Return how many steps of the filter a case passes, in order: 3 if it is kept.

    Args:
        truth: the right answer; ``None``: yes, as in the benchmark.
        before: the answer to the image; ``None``: neither yes nor no.
        edited: the answer after the finding is edited away, or, where the right answer is no, added.
        elsewhere: the answers after the edits of the background.
    """
    right = True if truth is None else truth
    if before is not right:
        return 0
    if edited is not (not right):
        return 1
    return 3 if all(answer is right for answer in elsewhere) else 2

"""Edit, check, choose: several seeds of one edit, a verifier, and the best with the scores of all.

- `editing`: `edit_candidates`, the edits of several seeds as one batch.
- `verifier`: `Verifier`, which scores a candidate and names the checks that it fails.
- `scores`: the scores and their order.
"""

from x2x_core.candidates.editing import Candidate, Candidates, edit_candidates
from x2x_core.candidates.scores import CandidateScores
from x2x_core.candidates.verifier import Limits, Verdict, Verifier

__all__ = ["Candidate", "CandidateScores", "Candidates", "Limits", "Verdict", "Verifier", "edit_candidates"]

"""Audit a classifier: does its score follow an edit that adds or removes the finding?

python examples/audit_classifier.py [OUT]
"""

import sys
from pathlib import Path

from x2x_core import InstructX2XPipeline
from x2x_core.common.bundled import bundled_path
from x2x_core.evaluation.audit.edits import audit_images
from x2x_core.evaluation.audit.plan import AuditSettings, check_findings
from x2x_core.evaluation.audit.summary import summarise_audit
from x2x_core.evaluation.report.write import write_report
from x2x_core.scorers.bundled import finding_scorer

out = Path(sys.argv[1] if len(sys.argv) > 1 else "out")

scorer = finding_scorer()  # yours: anything with name, labels, kind, and scores (B, labels) of images (B, 1, H, W)
settings = AuditSettings(scorer.name, check_findings(["pleural effusion"], scorer), side="left", seed=0)
images = sorted(bundled_path("sample").parent.glob("radiograph-*.png"))

records = audit_images(InstructX2XPipeline.from_pretrained("demo"), scorer, images, settings, out)
summarise_audit(records, settings).write_json(out / "audit.json")
write_report(out)
print(out / "report.html")

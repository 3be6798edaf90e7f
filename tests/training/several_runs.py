"""`x2x train` with each of several configurations, one after another in the same processes; run by torchrun.

torchrun --nproc_per_node 2 tests/training/several_runs.py CONFIG ...
"""

import sys

from x2x_core.cli import app

for config in sys.argv[1:]:
    app(["train", "--config", config], standalone_mode=False)

"""Instructions and probability maps as the tests of the atlas need them."""

import torch

from x2x_core.language.clauses import Clause, Operation
from x2x_core.language.instruction import Instruction
from x2x_core.pseudomasks.maps import ProbabilityMap


def ask(*findings, region="findings", **location):
    clauses = tuple(Clause(Operation.ADD, finding, **location) for finding in findings)
    return Instruction(clauses, region=region)


def probabilities(*names):
    values = torch.linspace(0, 255, 16 * 16).to(torch.uint8).reshape(16, 16)
    return {name: ProbabilityMap(values.clone(), 0.5, 0.1) for name in names}

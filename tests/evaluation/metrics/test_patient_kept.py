"""Is the patient kept: retrieval of the own patient, against torchmetrics and by hand."""

import pytest
import torch
from torchmetrics.functional.retrieval import retrieval_hit_rate

from x2x_core.common.errors import InputError
from x2x_core.evaluation.metrics.patient_kept import patient_kept


def test_it_is_the_hit_rate_of_torchmetrics():
    draw = torch.Generator().manual_seed(0)
    gallery = torch.randn(30, 5, generator=draw)
    images, patients = gallery + 1.2 * torch.randn(30, 5, generator=draw), [f"p{n // 3}" for n in range(30)]
    found = patient_kept(images, gallery, patients)
    similar = torch.nn.functional.cosine_similarity(images[:, None], gallery[None], dim=-1)
    owners = torch.tensor([[first == second for second in patients] for first in patients])
    expected = [float(retrieval_hit_rate(row, own, top_k=1)) for row, own in zip(similar, owners)]
    assert found.tolist() == expected and 0 < found.mean() < 1


def test_the_brightness_of_features_does_not_count():
    gallery = torch.eye(3)
    assert patient_kept(7 * gallery, gallery, "abc").tolist() == [1, 1, 1]
    assert patient_kept(gallery[[1, 0, 2]], gallery, "abc").tolist() == [0, 0, 1]
    assert patient_kept(gallery[[1, 0, 2]], gallery, "aab").tolist() == [1, 1, 1]


def test_one_patient_alone_cannot_be_mistaken():
    assert patient_kept(torch.eye(2), torch.eye(2), "aa").isnan().all()


def test_shapes_that_differ_are_refused():
    with pytest.raises(InputError, match="must be \\(n, D\\), \\(n, D\\) and n"):
        patient_kept(torch.eye(2), torch.eye(3), "ab")

"""Mutated files of every kind that is read: a result or one sentence each, in a process that lives on.

`make test` gives some hundred cases, `make test-fuzz` more than five thousand, both the same ones in each run.
"""

import os

import pytest
from fuzz_child import TARGETS
from fuzz_seeds import seeds, with_right_sums
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

FACTOR = int(os.environ.get("X2X_FUZZ_FACTOR", "1"))  # set by `make test-fuzz`
#: Cases of each target in `make test`.
CASES = {
    "read": 60, "upload": 20, "verify": 40, "mask": 12, "atlas": 12, "manifest": 20, "certificates": 10,
    "dicom edit": 10,
}  # fmt: skip
INTERESTING = (b"\x00", b"\xff", b"\xff\xff", b"\x7f\xff\xff\xff", b"\x80\x00\x00\x00", b"\xff\xff\xff\xff")

HEAD = 700  # bytes of the headers, where changes do most
_places = st.one_of(st.integers(0, HEAD), st.floats(0, 1, exclude_max=True))
_changes = st.one_of(
    st.tuples(st.just("cut"), _places),
    st.tuples(st.just("flip"), _places, st.integers(0, 7)),
    st.tuples(st.just("set"), _places, st.sampled_from(INTERESTING)),
    st.tuples(st.just("put in"), _places, st.binary(min_size=1, max_size=9)),
    st.tuples(st.just("take out"), _places, st.integers(1, 40)),
    st.tuples(st.just("repeat"), _places, st.integers(1, 200)),
)


def place_in(data, place):
    return min(place, len(data)) if isinstance(place, int) else int(place * len(data))


def mutated(data: bytes, changes) -> bytes:
    """Return bytes after some changes."""
    for kind, place, *more in changes:
        start = place_in(data, place)
        if kind == "cut":
            data = data[:start]
        elif kind == "flip" and start < len(data):
            data = data[:start] + bytes([data[start] ^ (1 << more[0])]) + data[start + 1 :]
        elif kind == "set":
            data = data[:start] + more[0] + data[start + len(more[0]) :]
        elif kind == "put in":
            data = data[:start] + more[0] + data[start:]
        elif kind == "take out":
            data = data[:start] + data[start + more[0] :]
        elif kind == "repeat":
            data = data[: start + more[0]] + data[start:]
    return data


@pytest.mark.parametrize("target", CASES)
def test_mutated_files_give_a_result_or_one_sentence(child, target):
    assert target in TARGETS

    @settings(max_examples=CASES[target] * FACTOR, suppress_health_check=list(HealthCheck), print_blob=True)
    @given(
        name=st.sampled_from(sorted(seeds(target))),
        changes=st.lists(_changes, min_size=1, max_size=5),
        renamed=st.booleans(),
        is_summed=st.booleans(),
        other=st.sampled_from((".png", ".dcm", ".nii", ".npy", ".jpg", ".csv", "", ".nii.gz")),
    )
    def check(name, changes, renamed, is_summed, other):
        data = mutated(seeds(target)[name], changes)
        child.give(target, f"a{other}" if renamed else name, with_right_sums(data) if is_summed else data)

    check()


@pytest.mark.parametrize("target", [name for name in CASES if name != "dicom edit"])
def test_every_seed_is_a_case_as_it_is(child, target):
    for name, data in seeds(target).items():
        said = child.give(target, name, data)
        assert not said or target in ("mask", "upload", "manifest", "atlas", "verify") or name == "objects.npy", said

"""Software of processes: the same in all of a batch."""

import shutil
from pathlib import Path

import pytest

import x2x_core
from x2x_core.batch.software import check_software, software
from x2x_core.common.errors import InputError


@pytest.fixture
def package(tmp_path, monkeypatch):
    """A copy of some of the package's code, in its place."""
    shutil.copytree(Path(x2x_core.__file__).parent / "batch", tmp_path / "x2x_core" / "batch")
    monkeypatch.setattr(x2x_core, "__file__", str(tmp_path / "x2x_core" / "__init__.py"))
    return tmp_path / "x2x_core"


def test_the_same_software_is_accepted():
    check_software(software())


def test_another_version_or_a_library_less_is_refused_by_its_name():
    with pytest.raises(InputError, match=r"torch is \S+ on \S+ and 1\.0 where it was started\."):
        check_software({**software(), "torch": "1.0"})
    with pytest.raises(InputError, match=r"flux is missing on \S+ and 2\.0 where"):
        check_software({**software(), "flux": "2.0"})


@pytest.mark.parametrize("name", ["batch/plan.py", "batch/new.py"])
def test_code_that_changed_since_the_start_is_refused(package, name):
    started_by = software()
    check_software(started_by)
    with (package / name).open("a") as file:
        file.write("\n")
    with pytest.raises(InputError, match=r"the code of x2x_core on \S+ is not that of the process that started it\."):
        check_software(started_by)

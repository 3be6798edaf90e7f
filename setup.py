"""Copy `models/` into the wheel as `x2x_core/_bundled/`; everything else is in pyproject.toml."""

import shutil
from pathlib import Path

from setuptools import setup
from setuptools.command.build_py import build_py

MODELS = Path(__file__).parent / "models"


class BuildWithModels(build_py):
    """Copy the bundled models beside the code; an editable install finds them in the checkout."""

    def run(self) -> None:
        """Build, then copy the models."""
        super().run()
        if self.editable_mode:
            return
        target = Path(self.build_lib) / "x2x_core" / "_bundled"
        shutil.rmtree(target, ignore_errors=True)
        shutil.copytree(MODELS, target)


setup(cmdclass={"build_py": BuildWithModels})

"""Optional imports: the error names the extra, and other errors pass."""

import pytest

from x2x_core.common.errors import MissingExtraError
from x2x_core.common.extras import needs_extra

MESSAGE = r"Drawing needs ink: install the extra with `pip install 'instructx2x\[pens\]'`\."


def test_a_failed_import_names_the_extra():
    with pytest.raises(MissingExtraError, match=MESSAGE) as caught, needs_extra("Drawing", "ink", "pens"):
        import a_library_that_nobody_has  # noqa: F401
    assert isinstance(caught.value, ImportError) and isinstance(caught.value.__cause__, ImportError)


def test_other_errors_pass():
    with pytest.raises(KeyError), needs_extra("Drawing", "ink", "pens"):
        raise KeyError("ink")

"""What every page does before it draws."""

import gc
from collections.abc import Callable

import pytest
from streamlit.testing.v1 import AppTest

from bloodapp.data.dataset import Dataset
from bloodapp.ui import frame


def test_what_was_loaded_is_not_looked_through_after_every_run(
    tiny: Dataset, open_page: Callable[..., AppTest], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Newly loaded modules leave the garbage collector's sight with the next page, and only then anything does."""
    monkeypatch.setattr(frame, "_modules", 0)
    gc.unfreeze()
    page = open_page("app.py", dataset=tiny.name)
    frozen = gc.get_freeze_count()
    assert frozen > 10_000
    page.run()
    assert gc.get_freeze_count() <= frozen

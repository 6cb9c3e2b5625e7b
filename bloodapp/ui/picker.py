"""A grid of pictures to pick from by clicking them; `st.image` knows no clicks."""

from collections.abc import Sequence
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

_FOLDER = Path(__file__).parent


def picker(tiles: Sequence[dict[str, Any]], *, key: str, version: str, width: int = 84) -> list[int]:
    """Draw the grid and give the ids that are picked, ascending; those of other versions stay picked.

    Args:
        tiles: one for each picture: `id` (int), `src` (a data URI), `text` under it, `hint` when the pointer
            rests on it, `colour` (`#rrggbb`) of its lower edge, `out` (bool) to show it faded.
        key: of the component; tests put `{"picked": [...]}` under it into the session state.
        version: names what is shown; another version draws the grid anew.
        width: the least width of a tile in CSS pixels.
    """
    kept = (st.session_state.get(key) or {}).get("picked") or []
    result = _component()(
        key=key,
        data={"tiles": list(tiles), "picked": list(kept), "version": version, "width": width},
        default={"picked": []},
        on_picked_change=lambda: None,
    )
    return [int(one) for one in result.get("picked") or []]


@cache
def _component() -> Any:
    return st.components.v2.component(
        "bloodapp_picker",
        html='<div class="picker"></div>',
        css=(_FOLDER / "picker.css").read_text(encoding="utf-8"),
        js=(_FOLDER / "picker.js").read_text(encoding="utf-8"),
    )

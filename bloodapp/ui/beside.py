"""Two pictures side by side and what differs between them, worked with keys; `st.image` knows neither."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

_FOLDER = Path(__file__).parent


def beside(data: dict[str, Any], *, key: str, on_act: Callable[[dict[str, Any]], None]) -> None:
    """Draw them.

    Args:
        data: `version` names what is shown; `kept` and each of `others` is a picture: `id`, `src`, `name`, `label`,
            `colour`, `state`, `out`, `number` of images that it stands for; of others also `words`, `figures`, `heat`
            (a data URI, or empty), `times` it is amplified, `outline` (an SVG path in pixels of `size`), `back` (it
            turned and moved back, or empty) and `facts` (name, of the kept, of it, whether these differ). `page`,
            `pages`, `before`, `total` and `folded` say where in the group this is; `classes`: `title`, `key`,
            `colour`; `whole`: what the button says that keeps the one and excludes the rest, `advised`: whether that
            is the advice; `undo`: whether there is something to undo; `said`: what the last act did.
        key: of the component; tests put `{"act": …}` or `{"page": …}` under it into the session state.
        on_act: called with what was pressed: `action` (`exclude`, `keep`, `relabel`, `keeper`, `whole`, `undo`),
            `id` and `label`.
    """

    def acted() -> None:
        act = (st.session_state.get(key) or {}).get("act")
        if act is not None:
            on_act(dict(act))

    _component()(key=key, data=data, on_act_change=acted, on_page_change=lambda: None)


@cache
def _component() -> Any:
    return st.components.v2.component(
        "bloodapp_beside",
        html='<div class="beside"></div>',
        css=(_FOLDER / "beside.css").read_text(encoding="utf-8"),
        js=(_FOLDER / "beside.js").read_text(encoding="utf-8"),
    )

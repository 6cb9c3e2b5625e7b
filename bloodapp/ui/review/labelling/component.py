"""One image at a time in the browser: a component of inline HTML, CSS and JavaScript; every text is set as text."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

_FOLDER = Path(__file__).parent
_GALLERY = _FOLDER.parent / "gallery"
_SCRIPTS = (
    _FOLDER.parent / "journal.js",
    _GALLERY / "dialogs.js",
    _FOLDER / "stage.js",
    _FOLDER / "label.js",
)
_STYLES = (_GALLERY / "gallery.css", _FOLDER / "label.css")
_HTML = """<div class="gallery labeller" role="region" aria-label="Labelling">
<div class="stage"><div class="seen"></div><div class="choice"></div></div>
<p class="status" role="status" aria-live="polite"></p>
<div class="film" role="group" aria-label="Next images"></div>
<div class="foot"></div>
<dialog class="look" aria-label="One image"></dialog>
<dialog class="why" aria-label="Why it is put aside"></dialog>
<dialog class="past" aria-label="Earlier decisions"></dialog>
<dialog class="keys" aria-label="Keys"></dialog>
</div>"""


def one_at_a_time(
    data: dict[str, Any],
    *,
    key: str,
    on_acts: Callable[[], object],
    on_look: Callable[[], None] = lambda: None,
) -> dict[str, Any]:
    """Draw it and give what the browser says.

    Args:
        data: `mode` is `queue`, `blind` or `settle`; see `queue.draw`, which makes most of it.
        key: of the component; tests put what the browser would say under it into the session state.
        on_acts: called when something was done, also where another view is asked for in the same breath.
        on_look: called when a picture is enlarged or closed.

    Gives `acts`, a list of acts that wait to be written down; `at`, which image is wished for; `look`, `{"index": …}`.
    """
    result = _component()(
        key=key,
        data=data,
        default={"acts": [], "at": None, "look": None},
        on_acts_change=on_acts,
        on_at_change=lambda: None,
        on_look_change=on_look,
    )
    return dict(result)


def said(key: str, what: str) -> Any:
    """What the browser has said last, None for nothing yet."""
    return (st.session_state.get(key) or {}).get(what)


@cache
def _component() -> Any:
    return st.components.v2.component(
        "bloodapp_labeller",
        html=_HTML,
        css="\n".join(style.read_text(encoding="utf-8") for style in _STYLES),
        js="\n".join(script.read_text(encoding="utf-8") for script in _SCRIPTS),
    )

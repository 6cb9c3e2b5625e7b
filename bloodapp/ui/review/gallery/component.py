"""The gallery in the browser: a custom component of inline HTML, CSS and JavaScript; every text is set as text."""

from collections.abc import Callable
from functools import cache
from pathlib import Path
from typing import Any

import streamlit as st

_FOLDER = Path(__file__).parent
_SCRIPTS = (
    _FOLDER.parent / "journal.js",
    *(_FOLDER / name for name in ("selection.js", "tiles.js", "dialogs.js", "gallery.js")),
)
_HTML = """<div class="gallery" role="region" aria-label="Gallery">
<div class="bar"></div>
<p class="status" role="status" aria-live="polite"></p>
<div class="grid" role="listbox" aria-multiselectable="true" aria-label="Images"></div>
<div class="foot"></div>
<dialog class="look" aria-label="One image"></dialog>
<dialog class="why" aria-label="Why it is flagged"></dialog>
<dialog class="past" aria-label="Earlier decisions"></dialog>
<dialog class="keys" aria-label="Keys"></dialog>
</div>"""


def gallery(
    data: dict[str, Any],
    *,
    key: str,
    on_acts: Callable[[], object],
    on_page: Callable[[], None],
    on_look: Callable[[], None],
) -> dict[str, Any]:
    """Draw the gallery and give what the browser says.

    Args:
        data: as `view.draw` makes it: the page, its images, and what came of the last decisions.
        key: of the component; tests put what the browser would say under it into the session state.
        on_acts: called when something was decided, also where another view is asked for in the same breath.
        on_page: called when another page is asked for.
        on_look: called when a picture is enlarged or closed.

    Gives `acts`, a list of decisions that wait to be written down; `page`, `{"to": …}`; and `look`, `{"index": …}` or
    None.
    """
    result = _component()(
        key=key,
        data=data,
        default={"acts": [], "page": None, "look": None},
        on_acts_change=on_acts,
        on_page_change=on_page,
        on_look_change=on_look,
    )
    return dict(result)


@cache
def _component() -> Any:
    return st.components.v2.component(
        "bloodapp_gallery",
        html=_HTML,
        css=(_FOLDER / "gallery.css").read_text(encoding="utf-8"),
        js="\n".join(script.read_text(encoding="utf-8") for script in _SCRIPTS),
    )

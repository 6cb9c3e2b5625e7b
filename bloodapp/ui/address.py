"""The page's address: what a run was told of it, what is written to it, and when it is older than a choice.

In a page that redraws itself a run may meet an address from before a click that the server knows of already, in two
ways. Both would take the click back:

* A fragment's tick can carry a click to the server before the click's own message does: the choice is made and the
  address written in the tick's run. The click's own message follows, with the address from before it, and brings
  nothing new that would call for the choice again. So the addresses that a fragment's run has left are remembered.
* `st.query_params` is one for all runs of a session. A run that had itself drawn anew and was then ended by a click
  still reads its own address into it before it looks whether it is to stop, seconds later where Keras is cleared first
  (Streamlit's `ScriptRunner._run_script` and `ScriptRunContext.reset`). So a run goes by what it was told itself.
"""

from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state.query_params import QueryParams

_LEFT = "kept.left"
"""Under this key: the addresses `from` that fragments' runs have left, the one that they went `to`, and whether the
next run of the page is the server's own, `mine`."""
_MANY = 8


def told() -> dict[str, str]:
    """The address as this run knows it: as it was told, unless a choice has made that old, and as written since."""
    given = _given()
    left = st.session_state.get(_LEFT)
    return dict(left["to"]) if left and not stepped() and given in left["from"] else given


def tell(values: dict[str, Any]) -> None:
    """Write to the address in one go, and only what differs: every change is a step of the back button.

    None and "" take a name out.
    """
    given = _given()
    then = {**told(), **{key: str(value) for key, value in values.items() if value not in (None, "")}}
    for key, value in values.items():
        if value in (None, ""):
            then.pop(key, None)
    left = st.session_state.get(_LEFT)
    if then != given:
        if in_fragment():
            passed = [*(left["from"] if left else []), given][-_MANY:]
            left = {"from": passed, "mine": bool(left and left["mine"])}
        st.query_params.from_dict(then)
    if left:
        st.session_state[_LEFT] = {**left, "to": then}


def begin(*, elsewhere: bool) -> None:
    """Begin a run of the page, after its callbacks: an address that a choice has made old is replaced, once.

    Not where the user came to it from another page, or stepped back to it.
    """
    left = st.session_state.get(_LEFT)
    if not left:
        return
    given = _given()
    if left["mine"] and given == left["to"] and not elsewhere:
        st.session_state[_LEFT] = {**left, "mine": False}  # the browser has not answered yet
        return
    if given in left["from"] and not elsewhere and not stepped():
        st.query_params.from_dict(left["to"])
    st.session_state[_LEFT] = None


def will_rerun() -> None:
    """Note that the server itself is about to have the page drawn anew: that says nothing of what the browser knows."""
    if left := st.session_state.get(_LEFT):
        st.session_state[_LEFT] = {**left, "mine": True}


def stepped() -> bool:
    """Whether the browser's back or forward button has led here."""
    context = get_script_run_ctx(suppress_warning=True)
    return context is not None and context.is_history_navigation


def in_fragment() -> bool:
    """Whether this run is of fragments alone."""
    context = get_script_run_ctx(suppress_warning=True)
    return context is not None and bool(context.fragment_ids_this_run)


def _given() -> dict[str, str]:
    """The address as this run was told it, or has written it."""
    context = get_script_run_ctx(suppress_warning=True)
    if context is None:
        return {}
    own = QueryParams()
    own.populate_from_query_string(context.query_string)
    return own.to_dict()

"""The page's address: what a run was told of it, what is written to it, and when it is older than a choice.

A run may meet an address from before a click that the server knows of already, in three ways. Each would take the
click back:

* The message of a second click has the address that the browser knows, and it may not have heard of the first one's
  yet. A click is no way to another address: so what a message with a click in it says of the address counts for
  nothing. Links, and the browser's buttons, come without one.
* A fragment's tick can carry a click to the server before the click's own message does: the choice is made and the
  address written in the tick's run. The click's own message follows, with the address from before it, and brings
  nothing new that would call for the choice again. So the addresses that a fragment's run has met and left are
  remembered; and what a tick itself was told of the address counts for nothing.
* `st.query_params` is one for all runs of a session. A run that had itself drawn anew and was then ended by a click
  still reads its own address into it before it looks whether it is to stop, seconds later where Keras is cleared first
  (Streamlit's `ScriptRunner._run_script` and `ScriptRunContext.reset`). So a run goes by what it was told itself.
"""

from typing import Any

import streamlit as st
from streamlit.runtime.scriptrunner import get_script_run_ctx
from streamlit.runtime.state.query_params import QueryParams

_KNOWN = "kept.known"
"""Under this key: the address as it is `now`, those `before` it that fragments' runs have met or left, whether the next
run of the page is the server's own, `mine`, and which `page` all that is about."""
_MANY = 8


def told() -> dict[str, str]:
    """The address as this run knows it: as it was told, unless that is older than a choice, and as written since.

    Neither a fragment's run nor a click is a way to another address: what it was told may be old, and is never new.
    """
    given, known = _given(), _known()
    if known["now"] is None:
        return given
    return dict(known["now"]) if in_fragment() or _older(given, known) else given


def tell(values: dict[str, Any]) -> None:
    """Write to the address in one go, and only what differs: every change is a step of the back button.

    None and "" take a name out.
    """
    given, now, known = _given(), told(), _known()
    then = {**now, **{key: str(value) for key, value in values.items() if value not in (None, "")}}
    for key, value in values.items():
        if value in (None, ""):
            then.pop(key, None)
    if then != given and in_fragment():
        known["before"] = [*known["before"], *(one for one in (given, now) if one != then)][-_MANY:]
    st.session_state[_KNOWN] = {
        **known,
        "now": then,
    }  # first: the next click may break off what the browser is told
    if then != now or given != now:
        st.query_params.from_dict(then)


def begin(*, elsewhere: bool) -> None:
    """Begin a run of the page, after its callbacks: an address that is older than a choice is replaced, once.

    Not where the user came to it from another page, or stepped back to it.
    """
    given, known = _given(), _known()
    if known["mine"] and given == known["now"] and not elsewhere:
        st.session_state[_KNOWN] = {**known, "mine": False}  # the browser has not answered yet
        return
    if not elsewhere and _older(given, known):
        given = known["now"]
        st.query_params.from_dict(given)
    st.session_state[_KNOWN] = {"now": given, "before": [], "mine": False, "page": _page()}


def will_rerun() -> None:
    """Note that the server itself is about to have the page drawn anew: that says nothing of what the browser knows."""
    st.session_state[_KNOWN] = {**_known(), "mine": True}


def stepped() -> bool:
    """Whether the browser's back or forward button has led here."""
    context = get_script_run_ctx(suppress_warning=True)
    return context is not None and context.is_history_navigation


def in_fragment() -> bool:
    """Whether this run is of fragments alone."""
    context = get_script_run_ctx(suppress_warning=True)
    return context is not None and bool(context.fragment_ids_this_run)


def _older(given: dict[str, str], known: dict[str, Any]) -> bool:
    """Whether the address that this run of the page was told is from before a choice."""
    if known["now"] in (None, given) or known["page"] != _page() or stepped():
        return False
    return given in known["before"] or _clicked()


def _clicked() -> bool:
    """Whether the message that this run answers has a click in it, or whatever else sets a widget.

    Only a run's beginning is asked: widgets that are new on the page would count, too.
    """
    context = get_script_run_ctx(suppress_warning=True)
    if context is None:
        return False
    session = context.session_state._state  # what Streamlit itself goes by to call back; nothing public tells
    return any(session._widget_changed(widget) for widget in session._new_widget_state)


def _given() -> dict[str, str]:
    """The address as this run was told it, or has written it."""
    context = get_script_run_ctx(suppress_warning=True)
    if context is None:
        return {}
    own = QueryParams()
    own.populate_from_query_string(context.query_string)
    return own.to_dict()


def _known() -> dict[str, Any]:
    known: dict[str, Any] = st.session_state.get(_KNOWN) or {}
    return {"now": None, "before": [], "mine": False, "page": "", **known}


def _page() -> str:
    """Which page this run is of, in Streamlit's own words."""
    context = get_script_run_ctx(suppress_warning=True)
    return context.page_script_hash if context is not None else ""

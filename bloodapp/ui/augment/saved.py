"""Keeping a pipeline under a name: save, replace, rename, delete, and bring back what was deleted."""

from collections.abc import Callable
from html import escape

import streamlit as st

from bloodapp.augment.pipelines import Pipeline, resolve
from bloodapp.augment.pipelines import text as pipeline_text
from bloodapp.augment.saved import delete_pipeline, save_pipeline, saved_pipelines
from bloodapp.errors import BloodappError, InvalidValue
from bloodapp.ui import frame, state
from bloodapp.ui.augment import edits
from bloodapp.ui.text import plain

_OPEN = "augment-save"
_GONE = "pipeline_deleted"
_PROBLEM = "pipeline_problem"
_TAKEN = "pipeline_taken"
_SURE = "pipeline_sure"
_WIDTH = 330


def draw(pipeline: Pipeline) -> None:
    """Draw the button "Save" and what opens under it."""
    name = edits.asked()
    saved = saved_pipelines()
    label = "Saved" if name in saved else "Save"
    icon = ":material/bookmark_added:" if name in saved else ":material/bookmark_add:"
    with st.popover(label, key=_OPEN, type="tertiary", icon=icon, on_change="rerun") as box:
        if not box.open:
            for asked in (_PROBLEM, _TAKEN, _SURE):
                state.put(asked, None)
        else:
            with st.container(width=_WIDTH):
                _kept(name) if name in saved else _new(pipeline, saved)


def draw_deleted() -> None:
    """After a deletion: what was deleted, and the way to bring it back."""
    gone = state.get(_GONE)
    if not gone:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="augment-gone"):
        _said(f"Deleted “{gone[0]}”. Its steps are still here.")
        st.button("Bring it back", type="tertiary", key="augment-restore", on_click=_restore)


def _new(pipeline: Pipeline, saved: dict[str, str]) -> None:
    origin = edits.origin()
    if origin in saved:
        st.button(
            f"Replace “{plain(str(origin))}”",
            key="augment-replace",
            width="stretch",
            on_click=_save,
            args=(pipeline, origin),
            help="What is saved under this name becomes what you see. Runs that were trained keep what they had.",
        )
        _said("or keep both:")
    with st.form("augment-save-as", border=False):
        st.text_input("Name", key="augment-name", placeholder="my_pipeline", max_chars=40)
        st.form_submit_button(
            "Save under this name", key="augment-keep", width="stretch", on_click=_save_as, args=(pipeline,)
        )
    _problem()
    taken = state.get(_TAKEN)
    if taken in saved:
        _said(f"“{taken}” is saved already.")
        st.button(
            f"Replace the saved “{plain(str(taken))}”",
            key="augment-replace-other",
            width="stretch",
            on_click=_save,
            args=(pipeline, taken),
        )
    st.html(
        '<p class="quiet">Letters, digits and “_”. Train offers it by this name; so does the command line.</p>'
    )


def _kept(name: str) -> None:
    if "augment-rename" not in st.session_state:
        st.session_state["augment-rename"] = name
    with st.form("augment-rename-as", border=False):
        st.text_input("Name", key="augment-rename", max_chars=40)
        st.form_submit_button(
            "Rename", key="augment-rename-it", width="stretch", on_click=_rename_as, args=(name,)
        )
    _problem()
    taken = state.get(_TAKEN)
    if taken and taken != name and taken in saved_pipelines():
        _said(f"“{taken}” is saved already, with other steps perhaps.")
        st.button(
            f"Rename, in place of the saved “{plain(str(taken))}”",
            key="augment-rename-over",
            width="stretch",
            on_click=_rename,
            args=(name, taken),
        )
    sure = state.get(_SURE) == name
    st.button(
        f"Yes, delete “{plain(name)}”" if sure else "Delete",
        key="augment-delete",
        width="stretch",
        icon=":material/delete:",
        on_click=_delete if sure else state.put,
        args=(name,) if sure else (_SURE, name),
        help="Its steps stay on this page and in the runs that were trained with it.",
    )


def _save_as(pipeline: Pipeline) -> None:
    name = str(st.session_state["augment-name"] or "").strip()
    if not _clash(name, saved_pipelines()):
        _save(pipeline, name)


def _rename_as(name: str) -> None:
    wanted = str(st.session_state["augment-rename"] or "").strip()
    if wanted != name and not _clash(wanted, saved_pipelines()):
        _rename(name, wanted)


def _clash(name: str, saved: dict[str, str]) -> bool:
    """Whether there is no name, or one that is taken: the page then says so or asks."""
    state.put(_TAKEN, name if name in saved else None)
    if name in saved:
        state.put(_PROBLEM, None)
    elif not name:
        state.put(_PROBLEM, "Give it a name.")
    return not name or name in saved


def _said(words: str) -> None:
    st.html(f'<p class="quiet">{escape(words)}</p>')


def _problem() -> None:
    if state.get(_PROBLEM):
        frame.error(str(state.get(_PROBLEM)))


def _save(pipeline: Pipeline, name: str) -> None:
    if _told(lambda: save_pipeline(name, pipeline_text(pipeline))):
        st.session_state[_OPEN] = False
        st.session_state["augment-name"] = ""
        state.put(_GONE, None)
        edits.choose(name)


def _rename(name: str, wanted: str) -> None:
    def act() -> None:
        kept = saved_pipelines()
        if name not in kept:
            raise InvalidValue(f"“{name}” is no longer saved: it was renamed or deleted elsewhere.")
        save_pipeline(wanted, kept[name])
        delete_pipeline(name)

    if _told(act):
        st.session_state[_OPEN] = False
        del st.session_state["augment-rename"]
        edits.choose(wanted)


def _delete(name: str) -> None:
    text = saved_pipelines().get(name, "")
    state.put(_SURE, None)
    if _told(lambda: delete_pipeline(name)):
        st.session_state[_OPEN] = False
        st.session_state.pop("augment-rename", None)
        state.put(_GONE, [name, text])
        edits.write(text)


def _restore() -> None:
    name, text = state.get(_GONE)
    if _told(lambda: save_pipeline(name, text)):
        state.put(_GONE, None)
        if pipeline_text(resolve(name)) == edits.asked():
            edits.choose(name)


def _told(act: Callable[[], None]) -> bool:
    """Whether the act went well; what went wrong is kept for the page to say."""
    try:
        act()
    except BloodappError as error:
        state.put(_PROBLEM, str(error))
        return False
    state.put(_PROBLEM, None)
    return True

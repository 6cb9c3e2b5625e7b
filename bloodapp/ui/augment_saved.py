"""Keeping a pipeline under a name: save, replace, rename, delete, and bring back what was deleted."""

import streamlit as st

from bloodapp.augment.pipelines import Pipeline, resolve
from bloodapp.augment.pipelines import text as pipeline_text
from bloodapp.augment.saved import delete_pipeline, save_pipeline, saved_pipelines
from bloodapp.errors import BloodappError, InvalidValue
from bloodapp.ui import augment_edits, frame, state
from bloodapp.ui.text import plain

_OPEN = "augment-save"
_GONE = "pipeline_deleted"
_PROBLEM = "pipeline_problem"


def draw(pipeline: Pipeline) -> None:
    """Draw the button "Save" and what opens under it."""
    name = augment_edits.asked()
    saved = saved_pipelines()
    label = "Saved" if name in saved else "Save"
    icon = ":material/bookmark_added:" if name in saved else ":material/bookmark_add:"
    with st.popover(label, key=_OPEN, type="tertiary", icon=icon, on_change="rerun") as box:
        if not box.open:
            state.put(_PROBLEM, None)
        elif name in saved:
            _kept(name)
        else:
            _new(pipeline, saved)


def draw_deleted() -> None:
    """After a deletion: what was deleted, and the way to bring it back."""
    gone = state.get(_GONE)
    if not gone:
        return
    with st.container(horizontal=True, vertical_alignment="center", gap="small", key="augment-gone"):
        st.html(f'<p class="quiet">Deleted “{gone[0]}”. Its steps are still here.</p>')
        st.button("Bring it back", type="tertiary", key="augment-restore", on_click=_restore)


def _new(pipeline: Pipeline, saved: dict[str, str]) -> None:
    origin = augment_edits.origin()
    if origin in saved:
        st.button(
            f"Replace “{plain(str(origin))}”",
            key="augment-replace",
            width="stretch",
            on_click=_save,
            args=(pipeline, origin),
            help="What is saved under this name becomes what you see. Runs that were trained keep what they had.",
        )
        st.html('<p class="quiet">or keep both:</p>')
    st.text_input("Name", key="augment-name", placeholder="my_pipeline", max_chars=40)
    name = str(st.session_state.get("augment-name") or "").strip()
    _problem()
    taken = name in saved
    st.button(
        f"Replace the saved “{plain(name)}”" if taken else "Save under this name",
        key="augment-keep",
        width="stretch",
        disabled=not name,
        on_click=_save,
        args=(pipeline, name),
    )
    st.html(
        '<p class="quiet">Letters, digits and “_”. Train offers it by this name; so does the command line.</p>'
    )


def _kept(name: str) -> None:
    if "augment-rename" not in st.session_state:
        st.session_state["augment-rename"] = name
    st.text_input("Name", key="augment-rename", max_chars=40)
    wanted = str(st.session_state["augment-rename"] or "").strip()
    _problem()
    taken = wanted != name and wanted in saved_pipelines()
    st.button(
        f"Rename, in place of the saved “{plain(wanted)}”" if taken else "Rename",
        key="augment-rename-it",
        width="stretch",
        disabled=wanted in ("", name),
        on_click=_rename,
        args=(name, wanted),
    )
    sure = state.get("pipeline_sure") == name
    st.button(
        f"Delete “{plain(name)}” for good?" if sure else "Delete",
        key="augment-delete",
        width="stretch",
        icon=":material/delete:",
        on_click=_delete if sure else state.put,
        args=(name,) if sure else ("pipeline_sure", name),
        help="Its steps stay on this page and in the runs that were trained with it; the name goes.",
    )


def _problem() -> None:
    if state.get(_PROBLEM):
        frame.error(str(state.get(_PROBLEM)))


def _save(pipeline: Pipeline, name: str) -> None:
    if _told(lambda: save_pipeline(name, pipeline_text(pipeline))):
        st.session_state[_OPEN] = False
        st.session_state["augment-name"] = ""
        state.put(_GONE, None)
        augment_edits.choose(name)


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
        augment_edits.choose(wanted)


def _delete(name: str) -> None:
    text = saved_pipelines().get(name, "")
    state.put("pipeline_sure", None)
    if _told(lambda: delete_pipeline(name)):
        st.session_state[_OPEN] = False
        st.session_state.pop("augment-rename", None)
        state.put(_GONE, [name, text])
        augment_edits.write(text)


def _restore() -> None:
    name, text = state.get(_GONE)
    if _told(lambda: save_pipeline(name, text)):
        state.put(_GONE, None)
        if pipeline_text(resolve(name)) == augment_edits.asked():
            augment_edits.choose(name)


def _told(act: "object") -> bool:
    """Whether the act went well; what went wrong is kept for the page to say."""
    try:
        act()  # type: ignore[operator]
    except BloodappError as error:
        state.put(_PROBLEM, str(error))
        return False
    state.put(_PROBLEM, None)
    return True

"""What can be done with a run, in one quiet menu: duplicate, rename, reproduce, delete."""

from html import escape

import streamlit as st

from bloodapp.errors import BloodappError
from bloodapp.jobs.job import ACTIVE
from bloodapp.runs.run import Run, delete_run
from bloodapp.train import reproduce
from bloodapp.ui import frame, state
from bloodapp.ui.text import plain
from bloodapp.ui.train import choice, run_list

_ASKED = "asked"
"""What was asked for and wants an answer: `rename` or `delete`, with the run's name."""


def draw(run: Run, state_: str) -> None:
    """Draw the menu of a run."""
    busy = state_ in ACTIVE
    key = f"train-menu-{run.name}"
    with st.popover(
        "", icon=":material/more_horiz:", key=key, on_change="rerun", help="More", width=60
    ) as menu:
        if not menu.open:
            return
        compared = run.name in str(state.get(run_list.CHOSEN) or "").split(",")
        with st.container(gap=None, key="train-menu"):
            if not run.combined:
                _item("Duplicate", "content_copy", key, _duplicate, run)
            _item("Rename", "edit", key, _ask, run, "rename", off=run.shipped)
            _item("Take out of comparison" if compared else "Compare", "compare_arrows", key, _compare, run)
            if run.combined:
                _combine(run)
            else:
                off = run.report() is None or busy or bool(run.parent)
                _item("Reproduce", "replay", key, _reproduce, run, off=off)
            _item("Delete", "delete", key, _ask, run, "delete", off=run.shipped or busy or bool(run.parent))


def asked(run: Run, state_: str) -> None:
    """Draw what the menu asked for: the field for another name, or whether to delete."""
    what, _, name = str(state.get(_ASKED) or "").partition(" ")
    if name != run.name:
        return
    if what == "rename":
        _rename(run)
    elif what == "delete" and state_ not in ACTIVE:
        _delete(run)


def _item(label: str, icon: str, key: str, act: "object", run: Run, *more: str, off: bool = False) -> None:
    st.button(
        label,
        icon=f":material/{icon}:",
        type="tertiary",
        width="stretch",
        disabled=off,
        key=f"menu-{label.split()[0].lower()}",
        on_click=_close,
        args=(key, act, run, *more),
    )


def _close(key: str, act: "object", run: Run, *more: str) -> None:
    st.session_state[key] = False
    act(run, *more)  # type: ignore[operator]


def _duplicate(run: Run) -> None:
    choice.duplicate(run)
    state.put_together({"run": None, "train": "new"})


def _ask(run: Run, what: str) -> None:
    state.put(_ASKED, f"{what} {run.name}")


def _compare(run: Run) -> None:
    names = str(state.get(run_list.CHOSEN) or "").split(",")
    run_list.choose(run.name, run.name not in names)


def _combine(run: Run) -> None:
    """The way to where runs are put together, with the same members chosen."""
    together = run.config["combined"]
    chosen = {"members": ",".join(together["members"]), "together": together["how"]}
    st.page_link(
        "pages/4_Evaluate.py",
        label="Combine anew",
        icon=":material/merge:",
        query_params={
            **state.address(),
            "run": run.name,
            "view": "combine",
            **chosen,
            **({"turned": "yes"} if together["tta"] else {}),
        },
    )


def _reproduce(run: Run) -> None:
    try:
        new = reproduce.start(run)
    except BloodappError as error:
        st.toast(plain(str(error)), icon=":material/error:")
        return
    choice.show_begun(new)


def _rename(run: Run) -> None:
    key = f"title-{run.name}"
    with (
        st.form("train-rename", border=False),
        st.container(horizontal=True, vertical_alignment="bottom"),
    ):
        st.text_input("Name", run.title, key=key, max_chars=80, width=420)
        st.form_submit_button("Save", key="train-rename-save", on_click=_save, args=(run, key))
        st.form_submit_button(
            "Cancel", type="tertiary", key="train-rename-off", on_click=state.put, args=(_ASKED, None)
        )


def _save(run: Run, key: str) -> None:
    try:
        run.rename(st.session_state[key].strip())
    except BloodappError as error:
        st.toast(plain(str(error)), icon=":material/error:")
    else:
        state.put(_ASKED, None)


def _delete(run: Run) -> None:
    children = f" and its {len(run.children)} trainings" if run.children else ""
    with st.container(horizontal=True, vertical_alignment="center", border=True, key="train-delete"):
        st.html(
            f"<div>Delete <b>{escape(run.title)}</b>{children} with all it wrote? This cannot be undone.</div>"
        )
        if st.button("Delete it for good", key=f"delete-{run.name}"):
            delete(run)
        st.button("Keep it", type="tertiary", key="train-delete-off", on_click=state.put, args=(_ASKED, None))


def delete(run: Run) -> None:
    """Delete a run and go back to the form."""
    try:
        delete_run(run)
    except BloodappError as error:
        frame.error(error)
    else:
        state.put(_ASKED, None)
        run_list.choose(run.name, False)
        state.choose_run(None)
        st.toast(plain(f"{run.title} is deleted."))
        st.rerun()

"""The export of what remains: format and place, the job at work, and where the file lies when it is done."""

from pathlib import Path
from typing import Any

import streamlit as st

from bloodapp import workspace
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import Judged
from bloodapp.data.exporting import FORMATS, Format
from bloodapp.data.exporting.formats import checked
from bloodapp.data.exporting.place import refuse
from bloodapp.errors import AlreadyExists, BloodappError, InvalidValue
from bloodapp.jobs.job import ACTIVE, Job, latest_job, submit
from bloodapp.ui import background, frame
from bloodapp.ui.text import count, plain

_WIDTH = 440  # pixels: as wide for each format


def draw(dataset: Dataset, judged: Judged) -> None:
    """The button with the form behind it, and below it the last export of this dataset."""
    job = latest_job("export", dataset.name)
    state = job.state() if job is not None else ""
    with (
        st.popover("Export what remains", icon=":material/download:", width="stretch", key="export"),
        st.container(width=_WIDTH),
    ):
        _form(dataset, judged, busy=state in ACTIVE)
    with st.container(key="export-outcome"):  # in its place: what is being typed below stays when it ends
        if job is not None and state == "done":
            _written(job, judged)
        elif job is not None:
            background.watch(job, key="export-job", dismiss=True)


def _form(dataset: Dataset, judged: Judged, busy: bool) -> None:
    to = st.selectbox(
        "As", list(FORMATS), format_func=lambda name: FORMATS[name].title, key="export-to", disabled=busy
    )
    form = FORMATS[to]
    st.html(f'<p class="quiet" style="margin:0">{form.about}</p>')
    suggested = _suggested(dataset.name, form)
    text = st.text_input(
        f"{'File' if form.suffix else 'Folder'} on this computer",
        value=str(suggested),
        key=f"export-path-{suggested.name}",  # a field keeps its text as long as it keeps its key
        disabled=busy,
    )
    bare = int((judged.included & (judged.labels < 0)).sum()) if form.unlabelled else 0
    unlabelled = bool(bare) and st.checkbox(
        f"Also {count(bare, 'image')} without a label", key="export-unlabelled"
    )
    path = _path(text, form)
    there = path is not None and path.exists() and not busy
    replace = there and st.checkbox("Replace what is there", key="export-replace")
    number = len(judged.indices) + (bare if unlabelled else 0)
    words = "An export is at work" if busy else f"Write {count(number, 'image')}"
    if not st.button(words, type="primary", key="export-write", disabled=busy or not number):
        return
    try:
        _queue(dataset, path, to, {"replace": bool(replace), "unlabelled": bool(unlabelled)})
    except BloodappError as problem:
        frame.error(problem)


def _path(text: str, form: Format) -> Path | None:
    """The target that was typed, with the ending that its format has; None if nothing was."""
    if not text.strip():
        return None
    path = Path(text.strip()).expanduser().absolute()
    return (
        path.with_name(path.name + form.suffix)
        if path.suffix.lower() != form.suffix and form.suffix
        else path
    )


def _suggested(name: str, form: Format) -> Path:
    """A name in the workspace's own folder that is free."""
    folder, number = workspace.home() / "exports", 1
    while True:
        path = folder / f"{name}-clean{f'-{number}' if number > 1 else ''}{form.suffix}"
        if not path.exists():
            return path
        number += 1


def _queue(dataset: Dataset, path: Path | None, to: str, params: dict[str, Any]) -> None:
    if path is None:
        raise InvalidValue("Say where to write it, for instance 'clean.npz'.")
    checked(path, to, params["unlabelled"])
    if path.exists() and not params["replace"]:
        raise AlreadyExists(
            f"'{path}' is there already: choose another name, or tick 'Replace what is there'."
        )
    try:
        refuse(path, folder=not FORMATS[to].suffix, replace=True)
    except OSError as problem:
        raise InvalidValue(
            f"'{path}' cannot be written ({problem.strerror}): choose another place."
        ) from problem
    submit(
        "export",
        {"dataset": dataset.name, "out": str(path), "to": to, **params},
        title=f"Export of {dataset.name}",
    )
    background.runner().wake()
    st.rerun()


def _written(job: Job, judged: Judged) -> None:
    """Where the last export lies, as long as it is there and holds what remains."""
    result = job.status().get("result") or {}
    path = Path(result.get("path", ""))
    if result.get("seq") != judged.seq or not path.exists():
        return
    size = f"{max(1, round(result.get('nbytes', 0) / 1e6)):,} MB"
    st.success(plain(f"{count(result['count'], 'image')}, {size}, in {path}"), icon=":material/check:")
    if path.is_file():
        # Read when it is asked for only: the file of a large set would fill the server's memory for nothing.
        st.download_button(
            "Download it", path.read_bytes, file_name=path.name, key="export-download", on_click="ignore"
        )

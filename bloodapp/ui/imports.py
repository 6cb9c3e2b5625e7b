"""Getting a dataset in: the form (path, upload, sample), the first start, and what becomes of an import."""

import os
import shutil
from pathlib import Path, PurePath
from typing import Any

import streamlit as st
from filelock import Timeout

from bloodapp import workspace
from bloodapp.data import bloodmnist
from bloodapp.data.dataset import list_datasets
from bloodapp.data.importing import import_source
from bloodapp.errors import AlreadyExists, BloodappError, InvalidValue, SourceError
from bloodapp.jobs.job import ACTIVE, Job, list_jobs, open_job, submit
from bloodapp.ui import adding, background, dialogs, state
from bloodapp.ui.text import plain

SAMPLE = "sample"
DIALOG = "import"
_WANTED = "import_wanted"
_UPLOADED = "upload"
_MARK = "first-start.json"
_PATIENCE_S = 60


def first_start() -> None:
    """Import the built-in sample when the workspace has never been used; of two tabs one does it and both wait.

    A user who deletes the sample later does not get it back unasked.
    """
    mark = workspace.home() / _MARK
    if mark.exists():
        return
    mark.parent.mkdir(parents=True, exist_ok=True)
    try:
        with workspace.lock(mark.with_suffix(".lock")).acquire(timeout=_PATIENCE_S):
            if mark.exists():
                return
            if not list_datasets():
                with st.spinner("Drawing the sample…"):
                    import_source(SAMPLE, name=SAMPLE)
            workspace.write_json(mark, {"since": workspace.now()})
    except (AlreadyExists, Timeout):
        return
    except BloodappError as problem:
        st.error(plain(str(problem)))


def adopt_finished() -> None:
    """Choose the dataset that the user's own import has brought, once, and drop its uploaded copy."""
    wanted = state.get(_WANTED)
    if not wanted:
        return
    try:
        job = open_job(Path(wanted))
        status = job.status()
    except BloodappError:
        state.put(_WANTED, None)
        return
    if status["state"] in ACTIVE:
        return
    state.put(_WANTED, None)
    if status["state"] == "done":
        shutil.rmtree(job.folder / _UPLOADED, ignore_errors=True)
        state.choose_dataset((status.get("result") or {}).get("dataset"))


def unfinished() -> list[Job]:
    """Imports that wait, work, or ended without a dataset and were not put away, newest first."""
    return [job for job in list_jobs() if job.kind in ("import", "add") and job.state() != "done"]


def watch_unfinished() -> None:
    """Show every unfinished import: its progress and a stop, or why it failed and how to go on."""
    for job in unfinished():
        background.watch(job, key=f"import-{job.id}", dismiss=True)


@st.dialog("Import a dataset", width="medium", on_dismiss=dialogs.close)
def dialog() -> None:
    """The import form in a dialog, to be drawn while it is open; closes itself when the import is queued."""
    form(key="dialog")


def form(key: str) -> None:
    """Choose a source and a name, and queue the import."""
    tabs = ["From this computer", "Upload", "Built-in sample"]
    several = len(list_datasets()) > 1
    place, drop, sample, *together = st.tabs([*tabs, "Add to a dataset"] if several else tabs)
    with place:
        path = st.text_input(
            "Path of a file or folder", key=f"{key}-path", placeholder="/home/me/training_set.npz"
        )
        st.html(
            '<p class="quiet">The course\'s training_set.npz, a MedMNIST .npz, a folder or .zip of class folders '
            "(with or without train, val and test above them), or a CSV or Parquet file of paths and labels. The word "
            "<code>bloodmnist</code>, or <code>bloodmnist:64</code>, <code>:128</code>, <code>:224</code> for larger "
            "images, downloads that set from Zenodo.</p>"
        )
        _name_and_go(key + "-place", Path(os.path.expanduser(path.strip())) if path.strip() else None)
    with drop:
        upload = st.file_uploader("A .npz or .zip of up to 1 GB", type=["npz", "zip"], key=f"{key}-upload")
        _name_and_go(key + "-drop", upload)
    with sample:
        st.html(
            '<p class="quiet">A few hundred drawn cells of eight classes on a smear, with planted duplicates, '
            "jokes, blurred, dark and wrongly labelled images: everything there is to find is known.</p>"
        )
        taken = SAMPLE in list_datasets()
        label = "The sample is here already" if taken else "Import the sample"
        if st.button(label, key=f"{key}-sample", type="primary", disabled=taken):
            _queue(submit("import", {"source": SAMPLE, "name": SAMPLE}, title="Import of the sample"))
    for tab in together:
        with tab:
            adding.form(f"{key}-add", _queue)


def _name_and_go(key: str, source: Any) -> None:
    """The name, the button, and what happens when it is pressed; `source` is a path, an upload or None."""
    stem = Path(source.name).stem if source is not None else ""
    left, right = st.columns([3, 2], vertical_alignment="bottom")
    name = left.text_input(
        "Name in the app",
        key=f"{key}-name",
        placeholder=workspace.name_from(stem) if stem else "from the file",
    )
    go = right.button("Import", key=f"{key}-go", type="primary", width="stretch")
    with st.container(horizontal=True, gap="medium"):
        unlabelled = st.checkbox(
            "Images without labels too",
            key=f"{key}-unlabelled",
            help="Pictures that lie in no class folder, and files without labels. Review labels them.",
        )
        convert = st.checkbox(
            "Convert numbers to pixels",
            key=f"{key}-convert",
            help="For a .npz whose images are numbers from 0 to 1, or from 0 to 255, of another type than uint8.",
        )
    if not go:
        return
    try:
        if source is None:
            raise InvalidValue("Say what to import: the path of a file or folder, or a file to upload.")
        options = {"labelled": False} if unlabelled else {}
        options |= {"convert": True} if convert else {}
        _queue(_submit(source, name.strip() or workspace.name_from(stem), options))
    except BloodappError as problem:
        st.error(plain(str(problem)))


def _submit(source: Any, name: str, options: dict[str, bool]) -> Job:
    if workspace.checked_name(name) in list_datasets():
        raise AlreadyExists(f"A dataset '{name}' exists: choose another name.")
    title = f"Import of {name}"
    if isinstance(source, Path):
        if bloodmnist.is_word(source):
            bloodmnist.published(source)  # refuses a size that there is not, before anything is queued
            return submit("import", {"source": str(source), "name": name}, title=title)
        if not os.path.exists(source):  # not Path.exists, which raises for a name that is too long
            raise SourceError(f"There is nothing at '{source}': check the path.")
        return submit("import", {"source": str(source.resolve()), "name": name, **options}, title=title)
    folder = workspace.claim_folder(workspace.jobs_folder(), f"import-{name}", number=True)
    copy = folder / _UPLOADED / PurePath(source.name).name
    copy.parent.mkdir()
    with copy.open("wb") as stream:
        shutil.copyfileobj(source, stream, 1 << 22)
    return submit("import", {"source": str(copy), "name": name, **options}, title=title, folder=folder)


def _queue(job: Job) -> None:
    state.put(_WANTED, str(job.folder))
    background.runner().wake()
    dialogs.close()
    st.rerun()

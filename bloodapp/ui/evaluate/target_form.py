"""The form of a target drop: a path, an upload or a dataset becomes a job."""

import shutil
from collections.abc import Callable
from pathlib import Path, PurePath
from typing import Any, Literal

import streamlit as st

from bloodapp import workspace
from bloodapp.data.dataset import list_datasets
from bloodapp.data.images import SUFFIXES
from bloodapp.data.sources import open_source
from bloodapp.errors import BloodappError, InvalidValue, SourceError
from bloodapp.evaluate import target
from bloodapp.jobs.job import Job
from bloodapp.runs.run import Run
from bloodapp.ui import background, frame, state

_ARCHIVES = (".zip", ".npz")
_TYPES = [*sorted(suffix.lstrip(".") for suffix in SUFFIXES), "zip", "npz"]
_MAX_UPLOAD_MB = 256
_MOST_FILES = 500  # more at once fail to arrive


def draw(run: Run, *, primary: bool) -> None:
    """Ask for images and queue their comparison with this run."""
    place, drop, dataset = st.tabs(["From this computer", "Upload", "A dataset"])
    kind: Literal["primary", "secondary"] = "primary" if primary else "secondary"
    with place:
        path = st.text_input(
            "Path of a folder, .zip, .npz or picture", key="target-path", placeholder="/home/me/new_slide"
        )
        if st.button("Compare", key="target-place-go", type=kind):
            _queued(lambda: _from_path(run, path.strip()))
    with drop:
        files = st.file_uploader(
            "Images of single cells, or one archive of them",
            type=_TYPES,
            accept_multiple_files=True,
            key="target-files",
            max_upload_size=_MAX_UPLOAD_MB,
        )
        if st.button("Compare", key="target-drop-go", type=kind, disabled=not files):
            _queued(lambda: _from_upload(run, files))
    with dataset:
        names = list_datasets()
        if not names:
            st.html('<p class="quiet">There is no dataset here.</p>')
            return
        name = st.selectbox("Dataset; its labels are not looked at", names, key="target-dataset")
        if st.button("Compare", key="target-dataset-go", type=kind):
            _queued(lambda: target.begin(run, str(name), str(name)))


def _queued(begin: Callable[[], Job]) -> None:
    try:
        begin()
    except BloodappError as error:
        frame.error(error)
        return
    state.put("drop", None)
    background.runner().wake()
    st.rerun()


def _from_path(run: Run, path: str) -> Job:
    if not path:
        raise InvalidValue("Say where the images lie: the path of a folder, an archive or a picture.")
    place = Path(path).expanduser()
    if not place.exists():
        raise SourceError(f"There is nothing at '{path}': check the path.")
    open_source(place, labelled=False)  # says at once what is wrong with it
    return target.begin(run, place, place.resolve().name)


def _from_upload(run: Run, files: list[Any]) -> Job:
    archives = [file for file in files if PurePath(file.name).suffix.lower() in _ARCHIVES]
    if archives and len(files) > 1:
        raise InvalidValue("Drop either one archive or pictures: an archive is a drop of its own.")
    if len(files) > _MOST_FILES:
        raise InvalidValue(f"More than {_MOST_FILES} files at once: pack them into one .zip, or give a path.")
    first = PurePath(files[0].name)
    name = first.name if len(files) == 1 else f"{len(files)} dropped images"
    folder = workspace.claim_folder(
        workspace.jobs_folder(), f"{target.KIND}-{workspace.name_from(first.stem)[:40]}", number=True
    )
    try:
        source = _stored(folder / target.UPLOADED, files)
        opened = source if archives else source.parent
        open_source(opened, labelled=False)
    except BaseException:
        shutil.rmtree(folder, ignore_errors=True)
        raise
    return target.begin(run, opened, name, folder)


def _stored(folder: Path, files: list[Any]) -> Path:
    """Write dropped files into a folder, two of one name under two, and give the path of the last."""
    folder.mkdir(parents=True)
    copy = folder
    for file in files:
        name = PurePath(file.name).name.lstrip(".") or "image"
        copy, number = folder / name, 2
        while copy.exists():
            copy, number = folder / f"{PurePath(name).stem}-{number}{PurePath(name).suffix}", number + 1
        with copy.open("wb") as stream:
            shutil.copyfileobj(file, stream, 1 << 22)
    return copy

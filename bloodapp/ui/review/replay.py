"""Decisions that travel: the log as CSV, another's log replayed here, and the log of the images before these."""

import io
from functools import lru_cache
from pathlib import Path
from tempfile import TemporaryDirectory

import streamlit as st

from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.decisions import Judged
from bloodapp.data.exchange import export_log, logs_before, replay_log
from bloodapp.errors import BloodappError
from bloodapp.ui import frame
from bloodapp.ui.review import acts
from bloodapp.ui.standing import identity
from bloodapp.ui.text import count


def draw_export(dataset: Dataset, judged: Judged) -> None:
    """The button that downloads the log; the file is written when it is asked for."""
    st.download_button(
        "Export CSV",
        lambda: _csv(dataset),
        file_name=f"{dataset.name}-decisions.csv",
        mime="text/csv",
        key="ledger-export",
        type="tertiary",
        icon=":material/download:",
        disabled=not judged.seq,
        on_click="ignore",
        help="Every decision, undone ones too. Images are named by their content: the file fits any copy of them.",
    )


def draw_import(dataset: Dataset, judged: Judged) -> None:
    """The log of another copy of these images: what it would change, then the button that replays it."""
    with st.popover("Import CSV", icon=":material/upload:", key="ledger-import", type="tertiary"):
        st.html(
            '<p class="quiet">Decisions that were exported from another copy of these images: who, when and why stay '
            "as they were.</p>"
        )
        file = st.file_uploader(
            "A log of decisions", type="csv", key="ledger-file", label_visibility="collapsed"
        )
        if file is None:
            return
        content = file.getvalue()
        try:
            said = _upload_tried(dataset.name, identity(dataset), judged.seq, file.name, content)
        except BloodappError as problem:
            frame.error(problem)
            return
        st.html(f'<p class="dry-run">{summary(said)}</p>')
        if said["replayed"]:
            st.button(
                f"Replay {count(said['replayed'], 'decision')}",
                key="ledger-replay",
                type="primary",
                on_click=_replay,
                args=(dataset, _named(content, file.name)),
            )


def draw_offer(dataset: Dataset, judged: Judged, *, primary: bool = True) -> None:
    """Where these images replaced others of this name: the decisions about those that are here again."""
    for path in logs_before(dataset):
        try:
            said = _tried(dataset.name, identity(dataset), judged.seq, path)
        except BloodappError as problem:
            frame.error(problem)
            continue
        if not said["replayed"]:
            continue
        with st.container(border=True, key=f"offer-{path.stem}"):
            st.html(
                f'<div class="empty"><h2>These images replaced others</h2><p>{count(said["events"], "decision")} had '
                f"been taken about those. {summary(said)}</p></div>"
            )
            st.button(
                f"Replay the {count(said['replayed'], 'decision')} taken before the images were replaced",
                key=f"replay-{path.stem}",
                type="primary" if primary else "secondary",
                on_click=_replay,
                args=(dataset, path),
            )


def summary(said: dict[str, int]) -> str:
    """What a replay would do, in words: `142 decisions: 120 new, 20 already here, 2 about images …`."""
    parts = [
        f"{said['replayed']:,} new" if said["replayed"] else "",
        f"{said['present']:,} already here" if said["present"] else "",
        f"{said['missing']:,} about images or classes that this dataset lacks" if said["missing"] else "",
    ]
    text = f"{count(said['events'], 'decision')}: {', '.join(part for part in parts if part)}."
    if said["changed"]:
        text += f" {count(said['changed'], 'image')} would change"
        if said["overruled"]:
            text += f", {said['overruled']:,} of them decided otherwise here"
        text += "."
    return text if said["events"] else "There is no decision in this file."


def _replay(dataset: Dataset, source: Path | io.BytesIO) -> None:
    try:
        said = replay_log(dataset, source)
    except BloodappError as problem:
        acts.wrong(problem)
    else:
        acts.say(f"Replayed {count(said['replayed'], 'decision')}")


def _csv(dataset: Dataset) -> bytes:
    with TemporaryDirectory() as folder:
        path = Path(folder) / "decisions.csv"
        export_log(dataset, path)
        return path.read_bytes()


def _named(content: bytes, name: str) -> io.BytesIO:
    """Bytes that know their file's name, which is what a mistake in them is told by."""
    stream = io.BytesIO(content)
    stream.name = name
    return stream


@lru_cache(maxsize=8)
def _tried(name: str, identity: str, seq: int, path: Path) -> dict[str, int]:
    del identity, seq  # parts of the key only
    return replay_log(open_dataset(name), path, dry=True)


@lru_cache(maxsize=2)
def _upload_tried(name: str, identity: str, seq: int, file: str, content: bytes) -> dict[str, int]:
    del identity, seq  # parts of the key only
    return replay_log(open_dataset(name), _named(content, file), dry=True)

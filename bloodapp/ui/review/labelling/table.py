"""Labels as a table: to be filled in elsewhere and taken back, with what it would change shown first."""

import hashlib
import io
from functools import lru_cache

import streamlit as st

from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.decisions import Judged
from bloodapp.errors import BloodappError
from bloodapp.review.label_table import Filled, label_table, read_table, take
from bloodapp.review.proposals import Proposals
from bloodapp.ui import frame, state
from bloodapp.ui.review import acts
from bloodapp.ui.standing import identity
from bloodapp.ui.standing import judged as judged_now
from bloodapp.ui.text import count
from bloodapp.ui.thumbs import class_chip

_TAKEN = "label-table-taken"


def draw(dataset: Dataset, judged: Judged, says: Proposals | None) -> None:
    """Draw the way to the table and back."""
    # Another key once a table was taken: so the form closes, and what was taken is seen.
    with st.popover(
        "As a table",
        icon=":material/table:",
        type="tertiary",
        key=f"label-table-{state.get(_TAKEN) or 0}",
    ):
        st.html(
            '<p class="quiet">A CSV with the columns index, name, label, proposal, confidence and sha256. Fill in '
            "“label” with a class's key, title or number, and take it back here.</p>"
        )
        with st.container(horizontal=True, gap="small"):
            _download(dataset, judged, says, waiting=True, words="What waits", key="label-csv-waiting")
            _download(dataset, judged, says, waiting=False, words="All labels", key="label-csv-all")
        uploaded = st.file_uploader("A table that was filled in", type="csv", key="label-csv-back")
        if uploaded is not None:
            _back(dataset, judged, uploaded.getvalue(), uploaded.name)


def _download(
    dataset: Dataset, judged: Judged, says: Proposals | None, *, waiting: bool, words: str, key: str
) -> None:
    st.download_button(
        words,
        lambda: label_table(dataset, judged, says, waiting=waiting).to_csv(
            index=False, lineterminator="\r\n"
        ),
        f"{dataset.name}-{'to-label' if waiting else 'labels'}.csv",
        "text/csv",
        icon=":material/download:",
        key=key,
        on_click="ignore",
    )


def _back(dataset: Dataset, judged: Judged, content: bytes, name: str) -> None:
    try:
        filled = _tried(dataset.name, identity(dataset), judged.seq, content, name)
    except BloodappError as problem:
        frame.error(problem)
        return
    others = f"{filled.same:,} rows are as they are, {filled.empty:,} have no label."
    if not filled.labels:
        st.html(f'<p>No label would change. <span class="quiet">{others}</span></p>')
        return
    st.html(
        f"<p><b>{count(len(filled.labels), 'label')}</b> would change:</p>{_moves(dataset, filled)}"
        f'<p class="quiet">{others}</p>'
    )
    if st.button(f"Take {count(len(filled.labels), 'label')}", type="primary", key="label-csv-take"):
        once = hashlib.sha256(content + str(judged.seq).encode()).hexdigest()
        try:
            batch = take(dataset, filled, why=f"labels from {name}", who=acts.who(), once=once)
        except BloodappError as problem:
            acts.wrong(problem)
        else:
            state.put(_TAKEN, batch)
            acts.say(f"Took {count(len(filled.labels), 'label')} of {name}; the ledger can undo it")
        st.rerun()


def _moves(dataset: Dataset, filled: Filled) -> str:
    def chip(label: int) -> str:
        return class_chip(dataset.classes[label] if label >= 0 else None)

    most = sorted(filled.moved.items(), key=lambda each: -each[1])
    rows = "".join(
        f"<li>{chip(before)} → {chip(after)} <b>{number:,}</b></li>" for (before, after), number in most[:8]
    )
    more = sum(number for _, number in most[8:])
    rest = f"<li>and {more:,} others</li>" if more else ""
    return f'<ul class="moves">{rows}{rest}</ul>'


@lru_cache(maxsize=2)
def _tried(name: str, identity: str, seq: int, content: bytes, file: str) -> Filled:
    del identity, seq  # parts of the key only
    dataset = open_dataset(name)
    stream = io.BytesIO(content)
    stream.name = file
    return read_table(dataset, judged_now(dataset), stream)

"""A dataset whose faults nobody knows: what planting is for, the form that starts it, and the way to the copy."""

from functools import lru_cache
from pathlib import Path

import numpy as np
import streamlit as st

from bloodapp.data.dataset import Dataset, free_name, list_datasets, open_dataset
from bloodapp.data.importing import checked_target
from bloodapp.errors import BloodappError
from bloodapp.jobs.job import latest_job, submit
from bloodapp.review.faults import SPOILERS, blend
from bloodapp.review.foreign import face, landscape
from bloodapp.ui import background, frame, state
from bloodapp.ui.text import count
from bloodapp.ui.thumbs import sheet


def draw(dataset: Dataset) -> None:
    """Draw the empty scoreboard: a planting at work, the copy that came of the last one, or the form."""
    job = latest_job("plant", dataset.name)
    if job is not None and job.state() != "done":
        background.watch(job, key="plant", dismiss=True)
        if job.state() not in ("failed", "stopped", "interrupted"):
            return
    made = (job.status().get("result") or {}) if job is not None else {}
    if made.get("dataset") in list_datasets():
        _ready(str(made["dataset"]), int(made["count"]), int(made["faults"]))
        with st.expander("Plant other faults"):
            _form(dataset, primary=False)
        return
    with st.container(border=True, key="board-empty"):
        st.html(
            '<div class="empty"><h2>How much of what is wrong do the detectors find?</h2><p>That can only be said '
            "where the truth is known. So plant known faults into a copy: duplicates, jokes and foreign pictures, "
            "blends, blur, bad light and wrong labels, about a quarter of all images. This dataset stays as it is. "
            "Take a clean one: what is wrong with it now, and nobody knows of, looks like a false alarm.</p></div>"
        )
        _form(dataset, primary=True)
        st.html(_examples(str(dataset.path), dataset.fingerprint))


def _form(dataset: Dataset, *, primary: bool) -> None:
    with st.container(horizontal=True, vertical_alignment="bottom", key="board-plant"):
        free = free_name(f"{dataset.name[:50]}-planted")
        name = st.text_input("Name of the copy", value=free, key="plant-name", width=260)
        seed = st.number_input(
            "Seed",
            min_value=0,
            max_value=2**31,
            value=1,
            key="plant-seed",
            width=130,
            help="Another seed, other faults.",
        )
        if not st.button(
            "Plant known faults into a copy",
            key="plant",
            type="primary" if primary else "secondary",
            icon=":material/potted_plant:",
        ):
            return
    try:
        checked_target(name.strip())
    except BloodappError as problem:
        frame.error(problem)
        return
    submit(
        "plant",
        {"dataset": dataset.name, "name": name.strip(), "seed": int(seed)},
        title=f"Planting faults into a copy of {dataset.name}",
    )
    background.runner().wake()
    st.rerun()


@lru_cache(maxsize=4)
def _examples(folder: str, fingerprint: str) -> str:
    """A strip of what planting makes of two of the dataset's own images, as HTML."""
    del fingerprint  # part of the key only: a name can be imported anew
    dataset = open_dataset(Path(folder).name)
    image, other = (np.array(dataset.images[len(dataset) * place // 5]) for place in (1, 3))
    rng = np.random.default_rng(5)
    made = {
        "as it is": image,
        "near copy": SPOILERS["near_duplicate"](image, rng),
        "blend": blend(image, other, rng),
        "blurred": SPOILERS["blurred"](image, rng),
        "too dark": SPOILERS["dark"](image, rng),
        "too bright": SPOILERS["bright"](image, rng),
        "no blood cell": landscape(rng, dataset.size),
        "a joke": face(rng, dataset.size),
    }
    return f'<div class="planted">{sheet(list(made.values()), list(made), width=96)}</div>'


def _ready(name: str, images: int, faults: int) -> None:
    with st.container(border=True, key="board-ready"):
        st.html(
            f"<div class=\"empty\"><h2>The copy is ready</h2><p>'{name}' holds {count(images, 'image')}, "
            f"{faults:,} of them with a known fault. Open it, let the detectors look, and the scoreboard says what "
            "they found.</p></div>"
        )
        st.button(
            "Open it",
            key="plant-open",
            type="primary",
            icon=":material/arrow_forward:",
            on_click=state.choose_dataset,
            args=(name,),
        )

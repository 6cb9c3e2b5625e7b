"""Why the run answers as it does for one image: where it looks, and the training cells most like it."""

from dataclasses import dataclass
from functools import lru_cache
from html import escape
from pathlib import Path

import numpy as np
import numpy.typing as npt
import streamlit as st

from bloodapp.charts.bars import probability_chart
from bloodapp.charts.style import CONFIG
from bloodapp.classify.pictures import read_pictures
from bloodapp.data.dataset import Dataset
from bloodapp.data.images import SUFFIXES, to_square
from bloodapp.errors import BloodappError
from bloodapp.evaluate import mistakes
from bloodapp.evaluate.evaluate import Judgement
from bloodapp.runs.run import Run
from bloodapp.ui import css, frame, state, thumbs
from bloodapp.ui.evaluate import flags, images, near, where
from bloodapp.ui.evaluate.reading import Reading
from bloodapp.ui.standing import judged
from bloodapp.ui.text import percent

FILTERS: tuple[str, ...] = ("image", *where.FILTERS)
"""Names in the address that this view keeps its choices under."""

_STYLE = Path(__file__).with_name("why.css")
_FILE, _ASKED = "evaluate-why-file", "evaluate-why-asked"
_LARGE = 4

Pixels = npt.NDArray[np.uint8]


@dataclass(frozen=True, eq=False)
class Chosen:
    """The image on show.

    Attributes:
        image: uint8 (S, S, 3), of the run's size.
        name: what it is called.
        row: its row in the dataset, or -1 for a dropped file.
        label: its class in the run's order, or None where nobody has said.
        probabilities: float32 (C,), what the run has answered, or None where it has not been asked yet.
    """

    image: Pixels
    name: str
    row: int
    label: int | None
    probabilities: npt.NDArray[np.float32] | None


@st.fragment
def draw(reading: Reading) -> None:
    """Draw the view."""
    css.style(_STYLE)
    chosen = _choose(reading)
    if chosen is None:
        return
    run = reading.run
    predictor = None
    if run.model_path.exists() and (where.in_memory(run) or st.session_state.get(_ASKED)):
        try:
            predictor = where.predictor(run)
        except BloodappError as error:
            frame.error(error)
    answered = chosen.probabilities
    if answered is None and predictor is not None:
        answered = predictor.predict(chosen.image[None])[0]
    _facts(reading, chosen, answered)
    if not run.model_path.exists():
        st.html('<p class="quiet">This run has no model to ask where it looks.</p>')
    elif predictor is None or answered is None:
        _offer()
    else:
        where.draw(run, chosen.image, answered, chosen.label)
    near.draw(reading, chosen.row, chosen.image, answered, chosen.label, predictor)


def _offer() -> None:
    frame.section("Where the run looks", "Which parts of the image speak for a class.")
    with st.container(horizontal=True, vertical_alignment="center"):
        st.button(
            "Explain",
            key="evaluate-why-explain",
            type="primary",
            icon=":material/center_focus_strong:",
            on_click=lambda: st.session_state.__setitem__(_ASKED, True),
        )
        st.html('<span class="quiet">Loads the model, some seconds the first time.</span>')


def _choose(reading: Reading) -> Chosen | None:
    """The image in the address, the first mistake, or the file that was dropped."""
    dataset, wrong = reading.dataset, _mistakes(reading.result)
    row = _row(reading, wrong)
    with st.container(horizontal=True, vertical_alignment="bottom", key="evaluate-why-bar"):
        if dataset is not None:
            _steps(wrong, row)
            _number(dataset, row)
        with st.popover("A file of your own", icon=":material/upload_file:"):
            file = st.file_uploader(
                "An image of a single cell",
                type=sorted(suffix.lstrip(".") for suffix in SUFFIXES),
                key=_FILE,
                max_upload_size=16,
            )
        if dataset is not None and file is None and row is not None:
            st.button(
                "Flag for Review",
                key="evaluate-why-flag",
                icon=":material/outlined_flag:",
                type="tertiary",
                shortcut="f",
                on_click=flags.flag,
                args=(dataset.name, [row]),
            )
    if file is not None:
        return _dropped(reading.run, file.name, file.getvalue())
    if dataset is None:
        images.not_here(reading)
        return None
    return None if row is None else _of_dataset(reading, dataset, row)


def _row(reading: Reading, wrong: npt.NDArray[np.int64]) -> int | None:
    """The row in the address if the dataset has it, else the surest mistake's, else the first image's."""
    asked = str(state.get("image") or "")
    dataset = reading.dataset
    if dataset is not None and asked.isdecimal() and int(asked) < len(dataset):
        return int(asked)
    if len(wrong):
        return int(wrong[0])
    return int(reading.result.index[0]) if len(reading.result) else None


def _steps(wrong: npt.NDArray[np.int64], row: int | None) -> None:
    """The mistakes one after the other, by buttons and by keys."""
    if not len(wrong):
        return
    found = np.flatnonzero(wrong == row)
    place = int(found[0]) if len(found) else -1
    for title, icon, key, step in (
        ("Previous mistake", ":material/chevron_left:", "p", -1),
        ("Next mistake", ":material/chevron_right:", "n", 1),
    ):
        to = int(wrong[(place + step) % len(wrong)]) if place >= 0 else int(wrong[0])
        st.button(
            title,
            key=f"evaluate-why-{key}",
            icon=icon,
            shortcut=key,
            on_click=state.put,
            args=("image", str(to)),
        )
    said = f"{place + 1} of {len(wrong):,}, the surest first" if place >= 0 else f"{len(wrong):,} mistakes"
    st.html(f'<span class="quiet">{said}</span>')


def _number(dataset: Dataset, row: int | None) -> None:
    """Any image by its number or by a part of its name."""
    box = "evaluate-why-number"
    default = state.show(box, "" if row is None else str(row))

    def find() -> None:
        asked = str(st.session_state[box]).strip()
        if asked.isdecimal() and int(asked) < len(dataset):
            state.put("image", asked)
            return
        names = dataset.items["name"].astype(str)
        found = names.str.contains(asked, case=False, regex=False).to_numpy() & bool(asked)
        if found.any():
            state.put("image", str(int(found.argmax())))
        else:
            st.toast(
                f"No image of the dataset has this number or name: take a number from 0 to {len(dataset) - 1:,}.",
                icon=":material/search_off:",
            )

    st.text_input("Image, by number or name", default or "", key=box, on_change=find, width=190)


def _of_dataset(reading: Reading, dataset: Dataset, row: int) -> Chosen:
    run, result = reading.run, reading.result
    image = to_square(np.asarray(dataset.images[row]), run.size)
    place = np.flatnonzero(result.index == row)
    keys = [one.key for one in run.classes]
    given = int(judged(dataset).labels[row])
    key = dataset.classes[given].key if given >= 0 else ""
    label = keys.index(key) if key in keys else None
    answered = None
    if len(place):
        label, answered = int(result.labels[place[0]]), result.probabilities[place[0]]
    return Chosen(image, str(dataset.items["name"].iloc[row]), row, label, answered)


def _dropped(run: Run, name: str, content: bytes) -> Chosen | None:
    picture = next(read_pictures([(name, content)], run.size), None)
    if picture is None or picture.image is None:
        frame.error(picture.error if picture else f"'{name}' holds no picture.")
        return None
    return Chosen(picture.image, picture.name, -1, None, None)


def _facts(reading: Reading, chosen: Chosen, answered: npt.NDArray[np.float32] | None) -> None:
    """The image large, its answer and label, and the probability of every class."""
    classes = reading.result.classes
    rows = []
    title = "Not asked yet"
    if answered is not None:
        best = int(answered.argmax())
        rows.append(("answer", f"{thumbs.class_chip(classes[best])} <b>{percent(float(answered[best]))}</b>"))
        title = (
            "A mistake"
            if chosen.label is not None and chosen.label != best
            else "Named as labelled"
            if chosen.label is not None
            else "No label"
        )
    label = None if chosen.label is None else classes[chosen.label]
    left = (
        f" <b>{percent(float(answered[chosen.label]))}</b>"
        if answered is not None and chosen.label is not None and int(answered.argmax()) != chosen.label
        else ""
    )
    rows.append(("label", f"{thumbs.class_chip(label)}{left}"))
    if chosen.row >= 0:
        rows.append(("image", f"{chosen.row} · {escape(_part_of(reading.run, chosen.row))}"))
    if chosen.name != str(chosen.row):
        rows.append(("name", escape(chosen.name)))
    listed = "".join(f"<dt>{name}</dt><dd>{what}</dd>" for name, what in rows)
    one, two = frame.columns("why", [1, 1])
    with one:
        st.html(
            f'<div class="whyimage"><img alt="{escape(chosen.name, quote=True)}" '
            f'src="{thumbs.exact_uri(chosen.image)}"><div><h3>{title}</h3><dl>{listed}</dl></div></div>'
        )
    with two:
        if answered is None:
            st.html('<p class="quiet">The run has not been asked about this image yet: Explain asks it.</p>')
        else:
            figure = probability_chart(answered, classes, height=244)
            st.plotly_chart(
                figure, key="evaluate-why-probabilities", config=CONFIG, alt="Probability of each class"
            )


def _part_of(run: Run, row: int) -> str:
    words = {"train": "of the training part", "val": "of the validation part", "test": "of the test part"}
    return words.get(_parts(str(run.folder), run.name).get(row, ""), "not used by this run")


@lru_cache(maxsize=4)
def _parts(folder: str, name: str) -> dict[int, str]:
    from bloodapp.runs.run import open_run

    del name
    split = open_run(Path(folder)).split()  # written once
    return dict(zip(split["index"].tolist(), split["part"].tolist(), strict=True))


@lru_cache(maxsize=8)
def _mistakes(result: Judgement) -> npt.NDArray[np.int64]:
    """Rows of the dataset that were named wrong, the surest first."""
    table = mistakes.confident_mistakes(result.labels, result.probabilities)
    rows: npt.NDArray[np.int64] = result.index[table["position"].to_numpy(np.int64)]
    return rows

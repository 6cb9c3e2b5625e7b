"""The Classify page: drop images, read what the run says about each.

The model is loaded once per server; dropped files stay in memory and are never written to disk.
"""

from html import escape

import pandas as pd
import streamlit as st

from bloodapp.charts.bars import probability_chart
from bloodapp.charts.style import CONFIG
from bloodapp.classes import CellClass
from bloodapp.classify.classify import to_csv
from bloodapp.data.dataset import Dataset
from bloodapp.data.images import SUFFIXES
from bloodapp.errors import BloodappError
from bloodapp.runs import calibration
from bloodapp.runs.run import Run, headline
from bloodapp.ui import css, frame, state, thumbs
from bloodapp.ui.classify_answers import A_TRY, Answers, key, of_dataset, of_files
from bloodapp.ui.evaluate.reading import choose
from bloodapp.ui.frame import Here
from bloodapp.ui.text import count, percent

MOST_CARDS = 120
MAX_UPLOAD_MB = 256
"""Dropped files stay in memory as a whole; larger sets are datasets, imported by path."""

FAR_LARGER = 2.5
"""A picture this many times larger than what the run takes is probably no crop of one cell."""

FILTERS = ("show", "try")
_TYPES = [*sorted(suffix.lstrip(".") for suffix in SUFFIXES), "zip"]


def draw(here: Here) -> None:
    """Draw the page for the chosen run."""
    assert here.run is not None, "the frame stops without a run"
    state.register("classify", FILTERS)
    css.style(css.JUDGING)
    run = here.run
    _model_line(run)
    if not run.model_path.exists():
        frame.empty(
            "This run has no model yet",
            "Its training has not ended: wait for it, continue it, or choose another run at the left.",
            page="pages/3_Train.py",
            label="Go to the training",
        )
        return
    files = st.file_uploader(
        "Drop images of single cells, or a zip of them",
        type=_TYPES,
        accept_multiple_files=True,
        key="classify-files",
        max_upload_size=MAX_UPLOAD_MB,
    )
    if here.dataset is not None and not files:
        _try_button(here.dataset)
    try:
        if files:
            state.put("try", None)
            ids = tuple(file.file_id for file in files)
            got = of_files(key(run), ids, [(file.name, file.getvalue()) for file in files])
        elif here.dataset is not None and str(state.get("try") or "").isdecimal():
            got = of_dataset(key(run), here.dataset.name, here.dataset.fingerprint, int(state.get("try")))
        else:
            _knows(run)
            return
    except BloodappError as error:
        frame.error(error)
        return
    _results(run, got)


def _model_line(run: Run) -> None:
    """Which run answers, and how far it can be trusted."""
    figures = headline(run) or {}
    said = [f"<b>{escape(run.title)}</b>"]
    if figures.get("accuracy") is not None:
        part = {"val": "validation", "test": "test"}[figures["part"]]
        said.append(f"<span>clean <em>{percent(figures['accuracy'])}</em></span>")
        shifted = figures.get("shifted_accuracy")
        said.append(f"<span>shifted <em>{percent(shifted)}</em></span>" if shifted is not None else "")
        said.append(f"<span>on {count(int(figures['n']), f'{part} image')}</span>")
    kind = "calibrated" if calibration.of(run) else "as the network says, not calibrated"
    said.append(f"<span>probabilities {kind}</span>")
    said.append(f"<span>one cell, centred, {run.size} × {run.size} pixels</span>")
    st.html(f'<div class="modelline">{"".join(said)}</div>')


def _knows(run: Run) -> None:
    """What the run can answer, for a page on which nothing has been dropped yet."""
    chips = "".join(f"<span>{thumbs.class_chip(c)}</span>" for c in run.classes)
    st.html(
        f'<div class="quiet">It tells {len(run.classes)} classes apart, and names one of them whatever the image '
        f'shows:</div><div class="tally">{chips}</div>'
    )


def _try_button(dataset: Dataset) -> None:
    tried = str(state.get("try") or "")
    label = "Other images" if tried else f"Try it with {A_TRY} images of '{dataset.name}'"

    def again() -> None:
        state.put("try", str(int(tried) + 1 if tried.isdecimal() else 1))

    st.button(
        label,
        key="classify-try",
        icon=":material/shuffle:",
        on_click=again,
        help="Images that this run has not learned from, where the dataset has them.",
    )


def _results(run: Run, got: Answers) -> None:
    if got.table.empty:
        return
    _too_large(run, got)
    if len(got.table) == 1:
        _one(run, got, 0)
        _download(run, got)
        return
    _tally(run, got)
    with st.container(horizontal=True, vertical_alignment="center", horizontal_alignment="distribute"):
        show = choose("show", {"pictures": "Pictures", "table": "Table"}, "How to show the answers")
        _download(run, got)
    if show == "pictures":
        _cards(run, got)
    else:
        _table(run, got)


def _too_large(run: Run, got: Answers) -> None:
    large = [size for size in got.sizes if max(size) > FAR_LARGER * run.size]
    if not large:
        return
    width, height = max(large, key=max)
    which = (
        "This image is"
        if len(got.sizes) == 1
        else f"{count(len(large), 'image is', 'images are')} larger, up to"
    )
    st.html(
        f'<p class="note">{which} {width} × {height} pixels. This run has learned from crops with one cell in the '
        f"centre, {run.size} × {run.size}: for an answer to trust, cut each cell out first.</p>"
    )


def _one(run: Run, got: Answers, row: int) -> None:
    """One image large, its answer in words, and the probability of every class."""
    answer = got.table.iloc[row]
    if answer["error"]:
        frame.error(str(answer["error"]))
        return
    left, right = frame.columns("answer", [1, 1])
    with left:
        st.html(_answer_html(run, got, row))
    with right:
        figure = probability_chart(got.probabilities[row], run.classes)
        st.plotly_chart(figure, key="classify-probabilities", config=CONFIG, alt="Probability of each class")


def _answer_html(run: Run, got: Answers, row: int) -> str:
    answer = got.table.iloc[row]
    named = _class_of(run, str(answer["label"]))
    picture = got.pictures[row]
    image = f'<img alt="" src="{thumbs.data_uri(picture)}">' if picture else ""
    likely = _titles(run, str(answer["set"]))
    others = ""
    if len(likely) > 1:
        names = f"{', '.join(likely[:-1])} or {likely[-1]}"
        known_sets = calibration.of(run) is not None
        others = (
            f"It may be {names}." if known_sets else f"It spreads 95 % over {len(likely)} classes: {names}."
        )
    given = got.given[row]
    known = "" if given is None else f"<div>labelled {thumbs.class_chip(given)}</div>"
    return (
        f'<div class="answer">{image}<div>'
        f'<div class="named"><i style="background:{escape(named.colour)}"></i>{escape(named.title)}</div>'
        f'<div class="sure"><b>{percent(float(answer["confidence"]))}</b> sure. {escape(others)}</div>{known}'
        f'<div class="file">{escape(str(answer["name"]))}</div></div></div>'
    )


def _tally(run: Run, got: Answers) -> None:
    """How many of which class, and how many could not be read."""
    numbers = got.table["label"].value_counts()
    parts = [
        f"<span>{thumbs.class_chip(c)} <b>{numbers[c.key]:,}</b></span>"
        for c in run.classes
        if c.key in numbers
    ]
    if bad := int((got.table["error"] != "").sum()):
        parts.append(f"<span>not readable <b>{bad:,}</b></span>")
    rated = [(g.key, str(label)) for g, label in zip(got.given, got.table["label"], strict=True) if g]
    note = f"{sum(a == b for a, b in rated)} of {len(rated)} as labelled" if rated else ""
    frame.section(count(len(got.table), "image"), note)
    st.html(f'<div class="tally">{"".join(parts)}</div>')


def _cards(run: Run, got: Answers) -> None:
    cards = [_card(run, got, row) for row in range(min(len(got.table), MOST_CARDS))]
    st.html(f'<div class="answers">{"".join(cards)}</div>')
    if len(got.table) > MOST_CARDS:
        st.html(
            f'<p class="quiet">The first {MOST_CARDS} of {len(got.table):,}; the table and the CSV have all.</p>'
        )


def _card(run: Run, got: Answers, row: int) -> str:
    answer, picture = got.table.iloc[row], got.pictures[row]
    name = escape(str(answer["name"]))
    if answer["error"] or picture is None:
        return (
            f'<figure><div class="none">{escape(str(answer["error"]))}</div>'
            f'<figcaption><small title="{name}">{name}</small></figcaption></figure>'
        )
    named = _class_of(run, str(answer["label"]))
    bars = "".join(
        f'<i title="{escape(c.title, quote=True)} {percent(float(p))}" '
        f'style="height:{max(3, round(100 * float(p)))}%;background:{escape(c.colour)}"></i>'
        for c, p in zip(run.classes, got.probabilities[row], strict=True)
    )
    given = got.given[row]
    under = name if given is None else f"labelled {escape(given.title)}"
    others = " or ".join(_titles(run, str(answer["set"]))[1:])
    may_be = f'<small title="{escape(others, quote=True)}">or {escape(others)}</small>' if others else ""
    off = ' class="off"' if given is not None and given.key != named.key else ""
    return (
        f'<figure title="{name}"><img alt="{name}" loading="lazy" src="{thumbs.data_uri(picture)}"><figcaption>'
        f'<div class="who">{thumbs.class_chip(named)}<b>{100 * float(answer["confidence"]):.0f} %</b></div>'
        f"{may_be}<small{off}>{under}</small>"
        f'<div class="minibars" style="--n:{len(run.classes)}">{bars}</div></figcaption></figure>'
    )


def _table(run: Run, got: Answers) -> None:
    """All answers as a sortable table; beside it the chosen one in full."""
    shown = pd.DataFrame(
        {
            "picture": [None if p is None else thumbs.data_uri(p) for p in got.pictures[: MOST_CARDS * 4]]
            + [None] * max(0, len(got.table) - MOST_CARDS * 4),
            "name": got.table["name"],
            "class": [_class_of(run, key).title if key else "" for key in got.table["label"]],
            "confidence": got.table["confidence"],
            "set": [", ".join(_titles(run, text)[1:]) for text in got.table["set"]],
            "error": got.table["error"],
        }
    )
    if not (shown["error"] != "").any():
        shown = shown.drop(columns="error")
    event = st.dataframe(
        shown,
        key="classify-table",
        hide_index=True,
        height=min(38 + 44 * len(shown), 560),
        row_height=44,
        on_select="rerun",
        selection_mode="single-row",
        column_config={
            "picture": st.column_config.ImageColumn("", width=56),
            "confidence": st.column_config.ProgressColumn(format="percent", min_value=0, max_value=1),
            "set": st.column_config.TextColumn(
                "or",
                help="What else it may be: for at least 95 % of images like those that the run was validated on, the "
                "true class is the one named or among these"
                if calibration.of(run)
                else "With the one named, the fewest classes that hold 95 % of the probability",
            ),
        },
    )
    rows = event["selection"]["rows"]
    if rows and rows[0] < len(got.table):
        _one(run, got, rows[0])
    else:
        st.html('<p class="quiet">Choose a row to see all its probabilities.</p>')


def _download(run: Run, got: Answers) -> None:
    st.download_button(
        "Answers as CSV",
        to_csv(got.table),
        file_name=f"{run.name}-answers.csv",
        mime="text/csv",
        icon=":material/download:",
        key="classify-csv",
        on_click="ignore",
    )


def _titles(run: Run, keys: str) -> list[str]:
    """The titles of the classes of a `set`, most likely first."""
    return [_class_of(run, key).title for key in keys.split("|") if key]


def _class_of(run: Run, key: str) -> CellClass:
    return next(c for c in run.classes if c.key == key)

"""Answers for dropped files and for images of a dataset, kept for the reruns of the page."""

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
import pandas as pd
import streamlit as st

from bloodapp.classes import CellClass
from bloodapp.classify.classify import Predicts, answers
from bloodapp.classify.pictures import Picture, read_pictures
from bloodapp.data.dataset import open_dataset
from bloodapp.data.images import to_square
from bloodapp.runs import calibration
from bloodapp.runs.predictions import FILE as PREDICTIONS
from bloodapp.runs.run import Run, open_run
from bloodapp.ui import thumbs
from bloodapp.ui.standing import judged

A_TRY = 12

Model = tuple[str, int, int]


@dataclass(frozen=True, eq=False)
class Answers:
    """What the run said about some pictures, in their order.

    Attributes:
        table: the table of answers, as `predict` writes it.
        probabilities: float32 (N, C), as in the table; rows of unreadable pictures are zero.
        pictures: JPEG of each as the run saw it, or None.
        sizes: width and height of the originals.
        given: the known class of each, for images of a dataset, or None.
    """

    table: pd.DataFrame
    probabilities: np.ndarray
    pictures: tuple[bytes | None, ...]
    sizes: tuple[tuple[int, int], ...]
    given: tuple[CellClass | None, ...]


def key(run: Run) -> Model:
    """What answers depend on: the run's folder, when its model was written, and when what calibrates it was."""
    said = run.folder / PREDICTIONS
    return str(run.folder), run.model_path.stat().st_mtime_ns, said.stat().st_mtime_ns if said.exists() else 0


@st.cache_resource(max_entries=2, show_spinner="Loading the model, some seconds the first time…")
def loaded(model: Model) -> Predicts:
    """The run's model, loaded once per server."""
    from bloodapp.classify.predictor import Predictor  # TensorFlow, seven seconds

    return Predictor(open_run(Path(model[0])))


@st.cache_resource(max_entries=4, show_spinner="Classifying…")
def of_files(model: Model, ids: tuple[str, ...], _files: Sequence[tuple[str, bytes]]) -> Answers:
    """What the run says about dropped files (name, content)."""
    del ids  # part of the key: dropped files with the same ids are the same files
    predictor = loaded(model)
    pictures = list(read_pictures(_files, predictor.size))
    return _answered(open_run(Path(model[0])), predictor, pictures, [None] * len(pictures))


@st.cache_resource(max_entries=4, show_spinner="Classifying…")
def of_dataset(model: Model, name: str, fingerprint: str, draw_number: int) -> Answers:
    """Some images of a dataset, by preference from parts that the run has not learned from."""
    predictor = loaded(model)
    run, dataset = open_run(Path(model[0])), open_dataset(name)
    now = judged(dataset)
    rows = now.indices
    if fingerprint == run.config["fingerprint"]:
        split = run.split()
        unseen = np.intersect1d(rows, split.loc[split["part"] != "train", "index"])
        rows = unseen if len(unseen) else rows
    rng = np.random.default_rng(draw_number)
    # One class after the other, so that twelve images show all eight.
    order = rng.permutation(rows)
    rank = pd.Series(now.labels[order]).groupby(now.labels[order]).cumcount().to_numpy()
    chosen = order[np.argsort(rank, kind="stable")][:A_TRY]
    names = dataset.items["name"].to_numpy()
    pictures = [
        Picture(
            str(names[row]),
            to_square(np.asarray(dataset.images[row]), predictor.size),
            dataset.size,
            dataset.size,
        )
        for row in chosen
    ]
    return _answered(run, predictor, pictures, [dataset.classes[now.labels[row]] for row in chosen])


def _answered(
    run: Run, predictor: Predicts, pictures: Sequence[Picture], given: Sequence[CellClass | None]
) -> Answers:
    table = np.zeros((len(pictures), len(predictor.classes)), np.float32)
    readable = [row for row, picture in enumerate(pictures) if picture.image is not None]
    if readable:
        table[readable] = predictor.predict(np.stack([p.image for p in pictures if p.image is not None]))
    names, errors = [p.name for p in pictures], [p.error for p in pictures]
    frame = answers(names, table, errors, predictor.classes, calibration.of(run))
    columns = [f"p_{one.key}" for one in predictor.classes]
    return Answers(
        frame,
        frame[columns].fillna(0).to_numpy(np.float32),
        tuple(None if p.image is None else thumbs.jpeg(p.image) for p in pictures),
        tuple((p.width, p.height) for p in pictures),
        tuple(given),
    )

"""The table of answers keeps its columns and its order, and every row adds up."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bloodapp.classes import DEFAULT_CLASSES
from bloodapp.classify import classify as room
from bloodapp.classify.classify import answers, classify, classify_pictures, likely_set, to_csv
from bloodapp.classify.pictures import Picture
from bloodapp.errors import Stopped

KEYS = [c.key for c in DEFAULT_CLASSES]
COLUMNS = [
    "name",
    "label",
    "confidence",
    *(f"p_{k}" for k in KEYS),
    "set",
    "outlier",
    "outlier_score",
    "error",
]


class Brightness:
    """A predictor that tells images apart by their mean grey: 0–31 is class 0, 32–63 class 1, …"""

    classes = DEFAULT_CLASSES
    size = 96

    def __init__(self):
        """Begin with no calls seen."""
        self.seen = []

    def predict(self, images):
        """0.9 for the class of the grey value, the rest spread evenly."""
        self.seen.append(len(images))
        table = np.full((len(images), 8), 0.1 / 7, np.float32)
        table[np.arange(len(images)), images.mean((1, 2, 3)).astype(int) // 32] = 0.9
        return table


def grey(value, size=96):
    """An image of one grey."""
    return np.full((size, size, 3), value, np.uint8)


def test_the_set_is_the_smallest_that_reaches_its_mass():
    """Classes are taken by probability until they hold 95 % together."""
    got = likely_set([[0.5, 0.3, 0.16, 0.04], [0.96, 0.02, 0.01, 0.01], [0.25, 0.25, 0.25, 0.25]])
    assert got.tolist() == [[True, True, True, False], [True, False, False, False], [True] * 4]


@pytest.mark.parametrize("seed", range(5))
def test_sets_reach_the_mass_and_no_class_is_spare(seed):
    """Every set holds 95 %, and less without its least likely class."""
    table = np.random.default_rng(seed).dirichlet(np.full(8, 0.4), 200).astype(np.float32)
    chosen = likely_set(table)
    mass = np.where(chosen, table, 0).sum(1)
    assert (mass >= 0.95 - 1e-5).all()
    assert (mass - np.where(chosen, table, 2).min(1) < 0.95).all()


def test_an_exact_hit_needs_no_further_class():
    """0.95 in float32 is enough, although it is a hair less than 0.95."""
    assert likely_set(np.array([[0.95, 0.05]], np.float32)).tolist() == [[True, False]]


def test_columns_are_those_of_predict():
    """The columns are the agreed ones; outliers stay empty, nothing is made up."""
    frame = answers(["a"], np.full((1, 8), 0.125, np.float32), [""], DEFAULT_CLASSES)
    assert list(frame.columns) == COLUMNS
    assert frame.loc[0, "set"] == "|".join(KEYS)
    assert (frame.loc[0, "outlier"], frame.loc[0, "outlier_score"]) == ("", "")


def test_a_row_with_an_error_has_no_figures():
    """An unreadable picture has an empty label and an error, and a place of its own."""
    pictures = [Picture("a", grey(0)), Picture("b", None, error="It is torn."), Picture("c", grey(100))]
    frame = classify_pictures(pictures, Brightness())
    assert frame["label"].tolist() == [KEYS[0], "", KEYS[3]]
    assert frame["error"].tolist() == ["", "It is torn.", ""]
    assert frame["set"].tolist()[1] == ""
    assert frame.loc[1, ["confidence", *COLUMNS[3:11]]].isna().all()
    assert frame.loc[[0, 2], "confidence"].to_numpy() == pytest.approx([0.9, 0.9])


def test_nothing_gives_an_empty_table():
    """No pictures, no rows, all columns."""
    frame = classify_pictures([], Brightness())
    assert list(frame.columns) == COLUMNS
    assert frame.empty


def test_the_csv_can_be_read_back():
    """Names with commas, quotes and line breaks survive; empty cells are empty."""
    names = ['a,"b".png', "c\nd.png", "ü.png"]
    frame = answers(names, np.full((3, 8), 0.125, np.float32), ["", "", "It is torn."], DEFAULT_CLASSES)
    text = to_csv(frame)
    rows = list(csv.DictReader(io.StringIO(text, newline="")))
    assert [row["name"] for row in rows] == names
    assert rows[0]["p_ig"] == "0.125000"
    assert (rows[2]["label"], rows[2]["confidence"], rows[2]["error"]) == ("", "", "It is torn.")
    assert pd.read_csv(io.StringIO(text))["outlier"].isna().all()


def test_a_dataset_is_classified_in_its_order(tiny):
    """By a dataset's name: one row an image, in the order of the dataset."""
    frame = classify("tiny", Brightness())
    assert len(frame) == len(tiny)
    expected = np.asarray(tiny.images).mean((1, 2, 3)).astype(int) // 32
    assert frame["label"].tolist() == [KEYS[k] for k in expected]


def test_a_folder_of_bare_pictures_is_classified(home, tmp_path):
    """Pictures need no class folders; a torn one is a row."""
    for name, value in (("a.png", 10), ("b.png", 250)):
        Image.fromarray(grey(value, 50)).save(tmp_path / name)
    (tmp_path / "c.png").write_bytes(b"torn")
    frame = classify(tmp_path, Brightness())
    assert frame["name"].tolist() == ["a.png", "b.png", "c.png"]
    assert frame["label"].tolist() == [KEYS[0], KEYS[7], ""]
    assert "c.png" in frame["error"].tolist()[2]


def test_long_sources_go_in_blocks_and_can_be_stopped(tiny, monkeypatch):
    """Images are held a block at a time; between blocks the work looks whether it should stop."""
    monkeypatch.setattr(room, "BLOCK", 20)
    predictor, told = Brightness(), []
    classify("tiny", predictor, progress=lambda done, total, text: told.append((done, total)))
    assert predictor.seen == [20, 20, 8]
    assert told == [(20, 48), (40, 48), (48, 48)]
    with pytest.raises(Stopped):
        classify("tiny", predictor, stopped=lambda: True)

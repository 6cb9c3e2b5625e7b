"""The table of answers keeps its columns and its order, and every row adds up."""

import csv
import io

import numpy as np
import pandas as pd
import pytest
from PIL import Image

from bloodapp.classes import DEFAULT_CLASSES
from bloodapp.classify import classify as room
from bloodapp.classify.classify import answers, classify, classify_pictures, to_csv
from bloodapp.classify.pictures import Picture
from bloodapp.errors import Stopped
from bloodapp.runs.calibration import Calibration

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


def test_columns_are_those_of_predict():
    """The columns are the agreed ones; outliers stay empty, nothing is made up."""
    frame = answers(["a"], np.full((1, 8), 0.125, np.float32), [""], DEFAULT_CLASSES)
    assert list(frame.columns) == COLUMNS
    assert frame.loc[0, "set"] == "|".join(KEYS)
    assert (frame.loc[0, "outlier"], frame.loc[0, "outlier_score"]) == ("", "")


def test_with_a_calibration_answers_mean_what_they_say():
    """Confidences and probabilities are tempered and still sum to one; sets are those above the bar, or several."""
    calibration = Calibration(0.5, 100, 0.2, 0.95, {}, "", "")
    table = np.array([[0.8, 0.2, 0, 0, 0, 0, 0, 0], [0.5, 0.4, 0.1, 0, 0, 0, 0, 0]], np.float32)
    frame = answers(["a", "b"], table, ["", ""], DEFAULT_CLASSES, calibration)
    assert frame["confidence"].to_numpy() == pytest.approx([0.64 / 0.68, 0.25 / 0.42], abs=1e-6)
    assert frame.loc[1, "p_eosinophil"] == pytest.approx(0.16 / 0.42, abs=1e-6)
    assert frame[COLUMNS[3:11]].sum(axis=1).to_numpy() == pytest.approx([1, 1], abs=1e-5)
    assert frame["set"].tolist() == ["basophil", "basophil|eosinophil"]
    assert frame["label"].tolist() == ["basophil", "basophil"]
    bare = answers(["a"], table[:1], [""], DEFAULT_CLASSES)
    assert (bare.loc[0, "confidence"], bare.loc[0, "set"]) == (pytest.approx(0.8), "basophil|eosinophil")


def test_a_row_with_an_error_has_no_figures():
    """An unreadable picture has an empty label and an error, and a place of its own."""
    pictures = [Picture("a", grey(0)), Picture("b", None, error="It is torn."), Picture("c", grey(100))]
    frame = classify_pictures(pictures, Brightness(), Calibration(0.9, 100, 0.2, 0.95, {}, "", ""))
    assert frame["label"].tolist() == [KEYS[0], "", KEYS[3]]
    assert frame["error"].tolist() == ["", "It is torn.", ""]
    assert frame["set"].tolist()[1] == ""
    assert frame.loc[1, ["confidence", *COLUMNS[3:11]]].isna().all()
    assert frame.loc[[0, 2], "confidence"].to_numpy() == pytest.approx([0.9, 0.9], abs=0.05)


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

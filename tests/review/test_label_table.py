"""Labels as a table: what goes out comes back as it was, and what does not fit is refused with its line."""

import io
from pathlib import Path

import numpy as np
import pandas as pd
import pytest

from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import judge, last_seq, log, record
from bloodapp.errors import InvalidValue, SourceError
from bloodapp.review.label_table import COLUMNS, Filled, label_table, read_table, take
from bloodapp.review.proposals import Proposals
from tests.review.test_labelling import proposed
from tests.review.unlabelled import without_labels


@pytest.fixture
def half(tiny: Dataset) -> Dataset:
    """Twenty labelled images and 28 without a label."""
    return without_labels(tiny)


def read(dataset: Dataset, text: str) -> Filled:
    """What a table with this text says."""
    return read_table(dataset, judge(dataset), io.BytesIO(text.encode()))


def test_every_included_image_in_the_sources_order(half: Dataset) -> None:
    """Keys for labels, empty where there is none; proposals where there are some."""
    record(half, [3], "exclude")
    table = label_table(half, judge(half), proposed(half, rows=np.arange(30)))
    assert tuple(table.columns) == COLUMNS
    assert table["index"].tolist() == [index for index in range(48) if index != 3]
    row = table.iloc[4].to_dict()
    assert row["name"] == "slide-5.png"
    assert row["label"] == half.classes[int(half.labels[5])].key
    assert row["proposal"] in [one.key for one in half.classes]
    assert 0 < float(row["confidence"]) <= 1
    assert row["sha256"] == half.items["sha256"][5]
    assert (table["label"][table["index"] >= 20] == "").all()
    assert (table["proposal"][table["index"] >= 30] == "").all()


def test_what_waits_in_the_order_of_the_queue(half: Dataset) -> None:
    """The least certain first; without proposals too."""
    from bloodapp.review.labelling import queue

    said = proposed(half)
    table = label_table(half, judge(half), said, waiting=True)
    assert table["index"].tolist() == queue(half, judge(half), said).index.tolist()
    assert label_table(half, judge(half), None, waiting=True)["index"].tolist() == list(range(20, 48))


@pytest.mark.parametrize("said", [None, "some"])
def test_the_round_trip_changes_nothing(half: Dataset, tmp_path: Path, said: str | None) -> None:
    """Written and read back unchanged, no label changes; filled in with the proposals, all of them are taken."""
    proposals: Proposals | None = proposed(half) if said else None
    table = label_table(half, judge(half), proposals)
    file = tmp_path / "labels.csv"
    table.to_csv(file, index=False, lineterminator="\r\n")
    filled = read_table(half, judge(half), file)
    assert (len(filled.labels), filled.same, filled.empty) == (0, 20, 28)
    with pytest.raises(InvalidValue, match="changes no label"):
        take(half, filled)
    if proposals is None:
        return
    table["label"] = table["label"].where(table["label"] != "", table["proposal"])
    table.sample(frac=1, random_state=1).to_csv(file, index=False)
    filled = read_table(half, judge(half), file)
    take(half, filled, who="ada", once="a")
    take(half, filled, once="a")
    assert judge(half).labels[20:].tolist() == proposals.labels[20:].tolist()
    assert judge(half).labels[:20].tolist() == half.labels[:20].tolist()
    events = log(half)
    assert events["batch"].nunique() == 1
    assert len(events) == 28
    assert set(events["why"]) == {"labels from a table"}


def test_keys_titles_numbers_and_plurals(half: Dataset) -> None:
    """A class may be called by any of its names, in any case; index and label are enough."""
    text = "label,index\nbasophil,20\nImmature Granulocyte,21\n2,22\nNEUTROPHILS,23\n,24\nig, 25 \n"
    filled = read(half, text)
    assert dict(filled.labels) == {20: 0, 21: 3, 22: 2, 23: 6, 25: 3}
    assert filled.empty == 1
    assert dict(filled.moved) == {(-1, 0): 1, (-1, 3): 2, (-1, 2): 1, (-1, 6): 1}
    semicolons = read(half, "\ufeffindex;name;label\r\n20.0;slide-20.png;basophil\r\n")
    assert dict(semicolons.labels) == {20: 0}


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("index\n20\n", "has no column 'label'"),
        ("name,label\na,ig\n", "has no column 'index'"),
        ("index,label\n20,ig\nx,ig\n", "line 3: 'x' is no index"),
        ("index,label\n20,ig\n,ig\n", "line 3: '' is no index"),
        ("index,label\n48,ig\n", "line 2: image 48 does not exist: 'half' has the images 0 to 47"),
        ("index,label\n-1,ig\n", "line 2: '-1' is no index"),
        ("index,label\n20,ig\n21,blast\n", "line 3: 'blast' is no class: give one of basophil, "),
        ("index,label\n20,8\n", "line 2: '8' is no class"),
        ("index,label\n20,ig\n21,ig\n20,monocyte\n", "line 4: image 20 has another label in line 2"),
        (
            "index,name,label\n20,slide-21.png,ig\n",
            r"line 2: image 20 has another name here \(slide-20.png\)",
        ),
        ("index,label,sha256\n20,ig,abc\n", "line 2: image 20 has another sha256 here"),
        ('index,name,label\n20,"slide-\n20.png",ig\n', "line 3: image 20 has another name"),
    ],
)
def test_mistakes_name_their_line_and_nothing_is_taken(half: Dataset, text: str, sentence: str) -> None:
    """One sentence; a table with a mistake is refused as a whole."""
    with pytest.raises(SourceError, match=sentence):
        read(half, text)
    assert last_seq(half) == 0


def test_a_file_that_is_no_table(half: Dataset, tmp_path: Path) -> None:
    """Absent, a folder, or bytes of something else."""
    for path, sentence in ((tmp_path / "absent.csv", "Can't find"), (tmp_path, "cannot be read")):
        with pytest.raises(SourceError, match=sentence):
            read_table(half, judge(half), path)
    with pytest.raises(SourceError, match="no CSV text"):
        read_table(half, judge(half), io.BytesIO(bytes(range(256))))
    with pytest.raises(SourceError, match="no column 'index'"):
        read(half, "")
    with pytest.raises(SourceError, match="line 2 is no CSV"):
        read(half, f"index,label\n20,{'x' * 200_000}\n")


def test_a_label_that_changes_is_a_change(half: Dataset) -> None:
    """From one class to another counts as well, and the same row twice counts once."""
    keys = [one.key for one in half.classes]
    now = keys[int(half.labels[5])]
    other = keys[(int(half.labels[5]) + 1) % 8]
    filled = read(half, f"index,label\n5,{other}\n5,{other}\n6,{keys[int(half.labels[6])]}\n")
    assert list(filled.labels) == [5]
    assert filled.same == 1
    assert dict(filled.moved) == {(keys.index(now), keys.index(other)): 1}
    frame = pd.DataFrame({"index": [5], "label": [other]})
    assert read(half, frame.to_csv(index=False)).labels == filled.labels

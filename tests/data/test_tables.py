"""Pictures listed in a CSV or Parquet file: paths, labels, parts."""

from pathlib import Path

import pandas as pd
import pytest

from bloodapp.classes import DEFAULT_CLASSES
from bloodapp.data.sources import open_source
from bloodapp.errors import SourceError
from tests.data.test_sources import laid_out, summary

NAMES = ["images/a.png", "images/b.png", "images/c.png"]


def table(folder: Path, text: str, name: str = "cells.csv") -> Path:
    """A table beside three pictures."""
    laid_out(folder, NAMES)
    (folder / name).write_text(text, encoding="utf-8")
    return folder / name


@pytest.mark.parametrize("mark", [",", ";", "\t"])
def test_csv(tmp_path: Path, mark: str) -> None:
    """Paths from the table's folder on, labels and parts, in the order of the table, whatever stands between them."""
    lines = [
        "\ufeffFile,Label,Split,note",
        'images/b.png,Neutrophils,valid,"two\nlines"',
        "images/a.png,ig,train,",
        "",
    ]
    source = open_source(table(tmp_path, "\n".join(lines).replace(",", mark)))
    assert (source.kind, source.name, source.count) == ("table", "cells", 2)
    assert source.classes == DEFAULT_CLASSES
    assert summary(source) == [("images/b.png", "neutrophil", "val"), ("images/a.png", "ig", "train")]


@pytest.mark.parametrize(
    "labels", [[6, 3, 0], ["6", "3", "0"], [6.0, 3.0, 0.0], ["neutrophil", "ig", "basophil"]]
)
def test_parquet(tmp_path: Path, labels: list) -> None:
    """The same from Parquet, where numbers may be whole, fractions or texts."""
    laid_out(tmp_path, NAMES)
    pd.DataFrame({"path": NAMES, "label": labels}).to_parquet(tmp_path / "cells.parquet")
    source = open_source(tmp_path / "cells.parquet")
    assert [key for _, key, _ in summary(source)] == ["neutrophil", "ig", "basophil"]
    assert source.classes == DEFAULT_CLASSES


def test_rows_without_a_label(tmp_path: Path) -> None:
    """An empty label is told when labels are wanted, and will do when not; so will a table of paths alone."""
    file = table(tmp_path, "path,label\nimages/a.png,ig\nimages/b.png,\n")
    assert [record.error for record in open_source(file).records] == ["", "It has no label."]
    assert summary(open_source(file, labelled=False)) == [
        ("images/a.png", "ig", ""),
        ("images/b.png", "", ""),
    ]
    alone = table(tmp_path, "path\nimages/a.png\n")
    assert summary(open_source(alone, labelled=False)) == [("images/a.png", "", "")]
    with pytest.raises(SourceError, match=r"'cells\.csv' gives no labels: add a column 'label'"):
        open_source(alone)


def test_what_is_not_there_is_told_and_does_not_stop(tmp_path: Path) -> None:
    """A path to nothing, to a folder, to a bad picture, or through a link that leads out: a record with a reason."""
    file = table(tmp_path / "in", "path,label\ngone.png,ig\nimages,ig\nimages/a.png,ig\nlink.png,ig\n")
    (tmp_path / "out.png").write_bytes((tmp_path / "in" / "images" / "a.png").read_bytes())
    (tmp_path / "in" / "link.png").symlink_to(tmp_path / "out.png")
    errors = [record.error for record in open_source(file).records]
    assert "'gone.png' is not there" in errors[0]
    assert "'images' cannot be read" in errors[1]
    assert errors[2] == ""
    assert "'link.png' is a link that leads out" in errors[3]


def test_a_list_of_classes_beside_it(tmp_path: Path) -> None:
    """`classes.txt` says the order of the classes, and that there are some without pictures."""
    file = table(tmp_path, "path,label\nimages/a.png,1\nimages/b.png,Zebra\n")
    (tmp_path / "classes.txt").write_text("zebra\nyak\nant\n")
    source = open_source(file)
    assert [one.key for one in source.classes] == ["zebra", "yak", "ant"]
    assert [record.label for record in source.records] == [1, 0]


def test_a_folder_with_labels_csv_is_that_table(tmp_path: Path) -> None:
    """What an export of pictures and a table leaves can be given as a folder."""
    table(tmp_path, "file,label\nimages/a.png,ig\n", "labels.csv")
    assert summary(open_source(tmp_path)) == [("images/a.png", "ig", "")]


@pytest.mark.parametrize(
    ("text", "sentence"),
    [
        ("", r"'cells\.csv' is empty, a file of 0 bytes"),
        ("a,b\n1,2\n", r"'cells\.csv' has no column 'path': its columns are 'a', 'b'; call"),
        ("path,label\n", r"'cells\.csv' lists no pictures"),
        ("path,label\n,ig\n", r"Row 1 of 'cells\.csv' names no picture"),
        (
            "path,label,part\nimages/a.png,ig,dev\n",
            r"Row 1 of 'cells\.csv' has the part 'dev': call it train",
        ),
        (
            "path,label\nimages/a.png,ig\n../a.png,ig\n",
            r"Row 2 of 'cells\.csv' names '\.\./a\.png', which leads out",
        ),
        ("path,label\n/etc/a.png,ig\n", r"names '/etc/a\.png', which leads out of the table's folder: put"),
        ("path,label\nC:\\a.png,ig\n", r"names 'C:/a\.png', which leads out"),
        ("path,label\n" + "a" * 5000 + ",ig\n", r"Row 1 of 'cells\.csv' holds a text too long"),
        ("path,label\n" + "a" * 200_000 + ",ig\n", r"'cells\.csv' is no table in UTF-8"),
    ],
)
def test_plain_mistakes(tmp_path: Path, text: str, sentence: str) -> None:
    """Each mistake is answered before the first picture, in one sentence with the row."""
    with pytest.raises(SourceError, match=sentence) as caught:
        open_source(table(tmp_path, text))
    assert "\n" not in str(caught.value)


def test_files_that_are_no_tables(tmp_path: Path) -> None:
    """Bytes called .csv, text called .parquet and a cut Parquet file are named."""
    (tmp_path / "a.csv").write_bytes(b"path,label\n\xff\xfe,ig\n")
    (tmp_path / "a.parquet").write_text("path,label")
    pd.DataFrame({"path": NAMES}).to_parquet(tmp_path / "b.parquet")
    (tmp_path / "b.parquet").write_bytes((tmp_path / "b.parquet").read_bytes()[:-20])
    for name in ("a.csv", "a.parquet", "b.parquet"):
        with pytest.raises(SourceError, match=rf"'{name}' is .*whatever its name says: save it again"):
            open_source(tmp_path / name)

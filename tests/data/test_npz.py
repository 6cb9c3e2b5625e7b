"""Course and MedMNIST files: what is read, and every plain mistake in one sentence."""

import re
import zipfile
from pathlib import Path
from typing import Any

import numpy as np
import pytest

from bloodapp.classes import DEFAULT_CLASSES
from bloodapp.data import archives
from bloodapp.data.medmnist import SETS
from bloodapp.data.sources import open_source
from bloodapp.errors import SourceError

RNG = np.random.default_rng(0)
IMAGES = RNG.integers(0, 256, (20, 12, 10, 3), dtype=np.uint8)
LABELS = np.arange(20) % 8


def written(tmp_path: Path, **arrays: Any) -> Path:
    """A `.npz` with these arrays."""
    file = tmp_path / "cells.npz"
    np.savez_compressed(file, **arrays)
    return file


@pytest.mark.parametrize(
    "labels",
    [
        LABELS[:, None].astype(np.uint8),
        LABELS.astype(np.int64),
        LABELS.astype(">i4"),
        LABELS.astype(np.float32),
        np.eye(8, dtype=np.uint8)[LABELS],
        np.eye(8, dtype=bool)[LABELS],
        np.asfortranarray(np.eye(8, dtype=np.float32)[LABELS]),
    ],
    ids=["column", "flat", "big endian", "whole floats", "one-hot", "one-hot bool", "one-hot by column"],
)
def test_every_form_of_labels(tmp_path: Path, labels: np.ndarray) -> None:
    """A column, a flat list and one-hot rows of any number type give the same labels and the eight classes."""
    source = open_source(written(tmp_path, images=IMAGES, labels=labels))
    records = list(source.records)
    assert source.classes == DEFAULT_CLASSES
    assert source.count == len(records) == 20
    assert [record.label for record in records] == LABELS.tolist()
    assert (np.stack([record.image for record in records]) == IMAGES).all()
    assert (records[3].name, records[3].width, records[3].height, records[3].mode) == ("3", 10, 12, "RGB")


def test_many_blocks(tmp_path: Path) -> None:
    """An array of many blocks arrives whole and in order."""
    images = RNG.integers(0, 256, (90, 160, 160, 3), dtype=np.uint8)  # 7 MB, blocks of 2
    source = open_source(written(tmp_path, images=images, labels=np.arange(90) % 8))
    assert all((record.image == image).all() for record, image in zip(source.records, images, strict=True))


def test_medmnist_files_have_parts(tmp_path: Path) -> None:
    """The arrays of a MedMNIST file follow one another, each with its part."""
    file = written(
        tmp_path,
        train_images=IMAGES[:12],
        train_labels=LABELS[:12, None],
        val_images=IMAGES[12:16],
        val_labels=LABELS[12:16, None],
        test_images=IMAGES[16:],
        test_labels=LABELS[16:, None],
    )
    records = list(open_source(file).records)
    assert [record.part for record in records] == ["train"] * 12 + ["val"] * 4 + ["test"] * 4
    assert [record.label for record in records] == LABELS.tolist()
    assert records[13].name == "val 1"


def test_other_numbers_of_classes_are_numbered(tmp_path: Path) -> None:
    """Ten classes are no cells that we know: they are numbered."""
    source = open_source(written(tmp_path, images=IMAGES, labels=np.arange(20) % 10))
    assert [c.key for c in source.classes] == [f"class{number}" for number in range(10)]
    source = open_source(written(tmp_path, images=IMAGES, labels=np.eye(3)[np.arange(20) % 2]))
    assert len(source.classes) == 3
    source = open_source(written(tmp_path, train_images=IMAGES, train_labels=np.arange(20) % 2))
    assert len(source.classes) == 2


def test_a_part_of_the_course_file_keeps_the_eight_classes(tmp_path: Path) -> None:
    """A course file whose first rows happen to lack the last classes still has eight."""
    assert open_source(written(tmp_path, images=IMAGES, labels=LABELS % 3)).classes == DEFAULT_CLASSES


def test_named_classes(tmp_path: Path) -> None:
    """A `classes` array names the classes, in its order; a known one keeps its colour."""
    names = np.array(["smudge", "platelet", "artefact"])
    source = open_source(written(tmp_path, images=IMAGES, labels=np.arange(20) % 3, classes=names))
    assert [c.key for c in source.classes] == names.tolist()
    assert source.classes[1].colour == DEFAULT_CLASSES[7].colour
    assert [c.shortcut for c in source.classes] == ["1", "2", "3"]
    with pytest.raises(SourceError, match="does not name the 4 classes"):
        open_source(written(tmp_path, images=IMAGES, labels=np.arange(20) % 4, classes=names))


def test_labels_may_be_absent_when_nobody_needs_them(tmp_path: Path) -> None:
    """For classifying, images alone will do."""
    source = open_source(written(tmp_path, images=IMAGES), labelled=False)
    assert {record.label for record in source.records} == {-1}


@pytest.mark.parametrize(
    ("arrays", "sentence"),
    [
        ({"x": IMAGES, "y": LABELS}, r"cells\.npz' has no array 'images': it holds 'x', 'y'; save"),
        ({"images": IMAGES}, r"has no array 'labels': it holds 'images'; save"),
        ({"images": IMAGES[0], "labels": LABELS}, r"the shape \(12, 10, 3\), but \(number, height"),
        ({"images": IMAGES[..., :2], "labels": LABELS}, r"the shape \(20, 12, 10, 2\), but"),
        ({"images": IMAGES[:, :1, :1], "labels": LABELS}, r"are 1 x 1 pixels, too small"),
        (
            {"images": IMAGES.transpose(0, 3, 1, 2).copy(), "labels": LABELS},
            r"the shape \(20, 3, 12, 10\), but",
        ),
        (
            {"images": IMAGES / 255, "labels": LABELS},
            r"is of type float64, but uint8 is needed: import it with --convert",
        ),
        ({"images": IMAGES.astype(int), "labels": LABELS}, r"is of type int64, but uint8"),
        ({"images": np.asfortranarray(IMAGES), "labels": LABELS}, r"column by column: save it with np\.asc"),
        ({"images": IMAGES, "labels": LABELS[:19]}, r"holds 20 images but 19 labels"),
        ({"images": IMAGES, "labels": LABELS - 1}, r"negative labels \(-1\): number the classes from 0"),
        ({"images": IMAGES, "labels": LABELS + 100}, r"labels up to 107, more than the 100 classes"),
        ({"images": IMAGES, "labels": LABELS + 0.5}, r"holds fractions"),
        ({"images": IMAGES, "labels": np.full(20, np.nan)}, r"holds fractions"),
        ({"images": IMAGES, "labels": np.full(20, np.inf)}, r"labels up to inf"),
        ({"images": IMAGES, "labels": np.full(20, "ig")}, r"is of type <U2, but whole numbers"),
        ({"images": IMAGES, "labels": np.ones((20, 8))}, r"is not one-hot"),
        ({"images": IMAGES, "labels": np.zeros((20, 2, 2))}, r"the shape \(20, 2, 2\), but"),
        (
            {"images": IMAGES, "labels": np.array(["a", 1] * 10, object)},
            r"Python objects, which are never opened",
        ),
        ({"images": IMAGES[:0], "labels": LABELS[:0]}, r"holds no images"),
        ({"images": IMAGES[:, :0], "labels": LABELS}, r"the shape \(20, 0, 10, 3\), but"),
    ],
)
def test_plain_mistakes(tmp_path: Path, arrays: dict[str, np.ndarray], sentence: str) -> None:
    """Each mistake is answered before the first image, in one sentence that names file and remedy."""
    with pytest.raises(SourceError, match=sentence) as caught:
        open_source(written(tmp_path, **arrays))
    assert "cells.npz" in str(caught.value)
    assert "\n" not in str(caught.value)


@pytest.mark.parametrize("share", [0.01, 0.5, 0.99])
def test_a_file_cut_short(tmp_path: Path, share: float) -> None:
    """A download that broke off is recognised, wherever it did."""
    file = written(tmp_path, images=IMAGES, labels=LABELS)
    content = file.read_bytes()
    file.write_bytes(content[: int(share * len(content))])
    with pytest.raises(SourceError, match="damaged or cut short"):
        open_source(file)


def test_a_damaged_byte_is_found_while_reading(tmp_path: Path) -> None:
    """The checksum is compared: a flipped byte among the pixels does not pass."""
    file = tmp_path / "cells.npz"
    np.savez(file, images=IMAGES, labels=LABELS)  # not compressed, so that only the checksum can tell
    content = bytearray(file.read_bytes())
    content[2000] ^= 1
    file.write_bytes(content)
    with pytest.raises(SourceError, match="damaged or cut short"):
        list(open_source(file).records)


def test_fewer_rows_than_the_header_says(tmp_path: Path) -> None:
    """An array whose header promises more rows than there are is refused at once."""
    file = written(tmp_path, images=IMAGES, labels=LABELS)
    with zipfile.ZipFile(file) as archive:
        images, labels = archive.read("images.npy"), archive.read("labels.npy")
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("images.npy", images[:-360])
        archive.writestr("labels.npy", labels)
    with pytest.raises(SourceError, match=r"'images' in .* is cut short"):
        open_source(file)


def test_no_npz_at_all(tmp_path: Path) -> None:
    """Anything called .npz that is no archive, or an archive without arrays, is named."""
    file = tmp_path / "cells.npz"
    file.write_text("hello")
    with pytest.raises(SourceError, match=r"is no \.npz file, whatever its name says"):
        open_source(file)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("images.npy", b"not an array")
        archive.writestr("labels.npy", b"not an array")
    with pytest.raises(SourceError, match=r"array 'images' .* is damaged"):
        open_source(file)
    with zipfile.ZipFile(file, "w") as archive:
        archive.writestr("readme.txt", b"")
    with pytest.raises(SourceError, match="no array 'images': it holds none"):
        open_source(file)


def test_grey_images_become_colour(tmp_path: Path) -> None:
    """Grey images, with or without a last axis of one, become RGB with three times the same; the mode is told."""
    for grey in (IMAGES[..., 0], IMAGES[..., :1]):
        records = list(open_source(written(tmp_path, train_images=grey, train_labels=LABELS)).records)
        assert (np.stack([record.image for record in records]) == IMAGES[..., :1]).all()
        assert {record.mode for record in records} == {"L"}


@pytest.mark.parametrize("name", sorted(SETS))
@pytest.mark.parametrize("ending", ["", "_64", "_224 (1)"])
def test_each_set_of_medmnist_is_known_by_its_file(tmp_path: Path, name: str, ending: str) -> None:
    """The file's name says which set it is, and so what the classes are called."""
    count = len(SETS[name])
    file = written(tmp_path, train_images=IMAGES, train_labels=(np.arange(20) % count)[:, None])
    source = open_source(file.rename(tmp_path / f"{name}{ending}.npz"))
    assert len({one.key for one in source.classes}) == len(source.classes) == count
    assert all(re.fullmatch("[a-z0-9_]+", one.key) for one in source.classes)
    if name == "bloodmnist":
        assert source.classes == DEFAULT_CLASSES
    else:
        assert source.classes[1].title.lower() == SETS[name][1]


def test_a_file_of_another_name_is_blood_if_it_has_eight_classes(tmp_path: Path) -> None:
    """Eight numbered classes in MedMNIST's arrays are those of blood; any other number stays numbers."""
    source = open_source(written(tmp_path, train_images=IMAGES, train_labels=LABELS))
    assert source.classes == DEFAULT_CLASSES
    other = open_source(written(tmp_path, train_images=IMAGES, train_labels=LABELS % 5))
    assert [one.key for one in other.classes] == [f"class{number}" for number in range(5)]


@pytest.mark.parametrize(
    ("name", "labels", "sentence"),
    [
        (
            "chestmnist",
            np.ones((20, 14)),
            r"'chestmnist\.npz' is ChestMNIST, which gives an image up to fourteen",
        ),
        ("nodulemnist3d", LABELS, r"'nodulemnist3d\.npz' is a set of volumes"),
        ("breastmnist", LABELS, r"labels up to 7, but breastmnist has 2 classes: give the file another name"),
    ],
)
def test_sets_that_cannot_be_imported(tmp_path: Path, name: str, labels: np.ndarray, sentence: str) -> None:
    """Several labels an image, volumes, and what only has a set's name."""
    file = written(tmp_path, train_images=IMAGES, train_labels=labels).rename(tmp_path / f"{name}.npz")
    with pytest.raises(SourceError, match=sentence):
        open_source(file)


@pytest.mark.parametrize(
    "images",
    [
        (IMAGES / 255).astype(np.float32),
        IMAGES / 255,
        IMAGES.astype(np.float16),
        IMAGES.astype(">f8"),
        IMAGES.astype(np.int64),
        IMAGES.astype(np.uint16),
    ],
    ids=["0 to 1", "0 to 1, 64 bits", "16 bits", "big endian", "whole", "whole, 16 bits"],
)
def test_other_numbers_are_converted_when_asked(tmp_path: Path, images: np.ndarray) -> None:
    """Fractions from 0 to 1, or from 0 to 255, and whole numbers to 255 come to the same pixels."""
    file = written(tmp_path, images=images, labels=LABELS)
    with pytest.raises(SourceError, match=r"uint8 is needed: import it with --convert"):
        open_source(file)
    records = list(open_source(file, convert=True).records)
    assert (np.stack([record.image for record in records]) == IMAGES).all()


@pytest.mark.parametrize("wrong", [-1, 256, np.nan, np.inf])
def test_numbers_of_no_picture_are_not_converted(tmp_path: Path, wrong: float) -> None:
    """One number out of bounds, the very last, and nothing is guessed."""
    images = IMAGES.astype(np.float32)
    images[-1, -1, -1, -1] = wrong
    with pytest.raises(SourceError, match=r"but 0 to 1 or 0 to 255 is needed"):
        list(open_source(written(tmp_path, images=images, labels=LABELS), convert=True).records)


def test_black_and_white_whole_numbers_stay_what_they_are(tmp_path: Path) -> None:
    """Whole numbers of 0 and 1 are nearly black, not white: only fractions are from 0 to 1."""
    images = (IMAGES > 99).astype(np.int32)
    records = open_source(written(tmp_path, images=images, labels=LABELS), convert=True).records
    assert (np.stack([record.image for record in records]) == images).all()


def test_an_array_that_would_unpack_without_end(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    """A `.npz` that unpacks to more than a hundred times its size is refused unread."""
    monkeypatch.setattr(archives, "_HARMLESS_BYTES", 1 << 20)
    file = written(tmp_path, images=np.zeros((200, 96, 96, 3), np.uint8), labels=np.arange(200) % 8)
    with pytest.raises(SourceError, match=r"cells\.npz' would unpack to"):
        open_source(file)

"""The tables of docs/sources.md: every source and refusal, as `tests/data/test_every_source.py` proves them.

`python -m tests.sources_tables` writes them anew.
"""

import zipfile
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import numpy as np
from PIL import Image

from bloodapp.data.medmnist import SETS
from tests.augmentation_tables import written
from tests.sources_made import (
    IMAGES,
    LABELS,
    PICTURES,
    Make,
    archive,
    array_bomb,
    arrays,
    bomb,
    csv,
    cut,
    encoded,
    flipped,
    folder,
    huge,
    linked,
    linked_archive,
    locked,
    parquet,
    parted,
    picture,
    sixteen_bits_of_colour,
    within,
)

DOC = Path(__file__).resolve().parents[1] / "docs" / "sources.md"


@dataclass(frozen=True)
class Taken:
    """A source that is imported.

    Attributes:
        what: what lies there.
        becomes: what becomes of it.
        make: makes it.
        count: how many images the dataset has.
        classes: the keys of its classes, or their number.
        parts: the parts of its images.
        listed: what is listed as skipped or noted.
        flags: of the command line.
    """

    what: str
    becomes: str
    make: Make
    count: int
    classes: Sequence[str] | int = 8
    parts: frozenset[str] = frozenset({""})
    listed: tuple[str, ...] = ()
    flags: tuple[str, ...] = ()


@dataclass(frozen=True)
class Refused:
    """A source that is refused, or a picture that is listed.

    Attributes:
        what: what is wrong.
        says: the whole sentence; {path} stands for the source's path, {name} for its name.
        make: makes it.
        flags: of the command line.
    """

    what: str
    says: str
    make: Make
    flags: tuple[str, ...] = ()


ALL_PARTS = frozenset({"train", "val", "test"})
EIGHT = ("basophil", "eosinophil", "erythroblast", "ig", "lymphocyte", "monocyte", "neutrophil", "platelet")
NAMED = {
    f"{name}/{n}.png": picture(n) for n, name in enumerate(("Neutrophils", "ig", "Immature granulocytes"))
}

SOURCES = (
    Taken(
        "`.npz` of the course: `images`, `labels`",
        "the eight classes by number",
        arrays(images=IMAGES, labels=LABELS),
        16,
    ),
    Taken(
        "… with labels as a column or one-hot",
        "the same",
        arrays(images=IMAGES, labels=np.eye(8, dtype=np.uint8)[LABELS]),
        16,
    ),
    Taken(
        "… with an array `classes` of names",
        "these names, in their order",
        arrays(images=IMAGES, labels=LABELS % 2, classes=np.array(["smudge", "ig"])),
        16,
        ("smudge", "ig"),
    ),
    Taken(
        "… with grey images (N, H, W) or (N, H, W, 1)",
        "three times the same colour",
        arrays(images=IMAGES[..., 0], labels=LABELS),
        16,
    ),
    Taken(
        "… of numbers from 0 to 1, or from 0 to 255, of another type, with `--convert`",
        "rounded to the nearest of 0 … 255; whether one is above 1 decides between the two",
        arrays(images=(IMAGES / 255).astype(np.float32), labels=LABELS),
        16,
        flags=("--convert",),
    ),
    Taken(
        "… without labels, with `--unlabelled`",
        "images to be labelled here",
        arrays(images=IMAGES),
        16,
        flags=("--unlabelled",),
    ),
    *(
        Taken(
            f"`{name}.npz`, `{name}_128.npz`",
            f"{len(names)} classes by name; train, val and test kept",
            parted(
                IMAGES if number % 2 else IMAGES[..., 0],
                len(names),
                f"{name}.npz" if number % 2 else f"{name}_128.npz",
            ),
            16,
            len(names),
            ALL_PARTS,
        )
        for number, (name, names) in enumerate(SETS.items())
    ),
    Taken(
        "MedMNIST's arrays under another name",
        "parts kept; eight classes are those of blood, other numbers stay numbers, unless there is an array `classes`",
        parted(),
        16,
        EIGHT,
        ALL_PARTS,
    ),
    Taken(
        "class folders by name, key or plural, in any case",
        "the eight classes, if every folder is one",
        folder(NAMED),
        3,
        EIGHT,
    ),
    Taken(
        "class folders by number from 0: `0`, `03`",
        "the eight classes; numbered ones, where they go beyond 7",
        folder({"0/a.png": picture(), "03/a.png": picture(1)}),
        2,
        EIGHT,
    ),
    Taken(
        "class folders by number and name: `3_ig`, `6 - neutrophil`",
        "the eight classes by name",
        folder({"3_ig/a.png": picture(), "6 - neutrophil/a.png": picture(1)}),
        2,
        EIGHT,
    ),
    Taken(
        "class folders of other names",
        "these names, sorted",
        folder({"cat/a.png": picture(), "dog/a.png": picture(1)}),
        2,
        ("cat", "dog"),
    ),
    Taken(
        "… with `classes.txt` beside them, one class a line",
        "these classes in this order, also those without a folder; folders by name or number",
        folder({"classes.txt": b"dog\nyak\ncat\n", "cat/a.png": picture(), "0/a.png": picture(1)}),
        2,
        ("dog", "yak", "cat"),
    ),
    Taken(
        "… with `train`, `val`, `test` above them, and anything around all",
        "parts kept; also `training`, `valid`, `validation`, `testing`",
        folder(
            {f"set/{part}/ig/{part}.png": picture(n) for n, part in enumerate(("train", "valid", "testing"))}
        ),
        3,
        EIGHT,
        ALL_PARTS,
    ),
    Taken(
        "pictures without class folders, with `--unlabelled`",
        "images to be labelled here",
        folder({"a.png": picture(), "b.png": picture(1)}),
        2,
        flags=("--unlabelled",),
    ),
    Taken(
        "a `.zip` of any of these",
        "the same, in the order of the archive, read in place",
        archive({"ig/b.png": picture(), "ig/a.png": picture(1)}),
        2,
        EIGHT,
    ),
    Taken(
        "a CSV file of paths, labels and perhaps parts",
        "by its header: `path`, `label`, `part`, and what they are else called; `,` `;` or tab",
        csv("file;class;split\nimages/a.png;ig;train\nimages/b.png;neutrophils;val\n"),
        2,
        parts=frozenset({"train", "val"}),
    ),
    Taken(
        "a Parquet file of the same",
        "the same; labels that are numbers count from 0",
        parquet(path=["images/a.png", "images/b.png"], label=[3, 6]),
        2,
        EIGHT,
    ),
    Taken(
        "a folder with `labels.csv`",
        "that table",
        folder({**PICTURES, "labels.csv": b"file,label\nimages/a.png,ig\n"}),
        1,
        EIGHT,
    ),
    Taken(
        "links in a folder",
        "to a file inside it: followed; out of it, to a folder or to nothing: passed over and listed",
        linked,
        2,
        listed=("ig/c.png", "ig/d.png", "again"),
    ),
    Taken("links in a `.zip`", "passed over and listed", linked_archive, 1, listed=("ig/b.png",)),
)


def one(content: bytes, name: str = "a.png") -> Make:
    """A folder with this picture in a class folder."""
    return folder({f"ig/{name}": content})


PHOTO = Image.fromarray(IMAGES[0])
TURNED = Image.Exif()
TURNED[274] = 6
PAGES = {"save_all": True, "append_images": [PHOTO, PHOTO]}

FORMATS = (
    Taken(
        "PNG, JPEG, BMP, TIFF, WebP, GIF",
        "told by their content, not their name",
        folder(
            {f"ig/{kind}.png": picture(0, kind) for kind in ("PNG", "JPEG", "BMP", "TIFF", "WEBP", "GIF")}
        ),
        6,
    ),
    Taken(
        "8 bits of grey, 1 bit",
        "three times the same colour",
        folder({"ig/a.png": picture(0, "PNG", "L"), "ig/b.png": picture(0, "PNG", "1")}),
        2,
    ),
    Taken(
        "16 bits of grey",
        "divided by 257; left alone if none is above 255",
        one(encoded(Image.fromarray(IMAGES[0, ..., 0].astype("<u2") * 257), "TIFF")),
        1,
    ),
    Taken("16 bits a colour", "the upper eight", one(sixteen_bits_of_colour(), "a.tif"), 1),
    Taken(
        "several pages (TIFF, GIF, WebP, PNG)",
        "the first, and the others are mentioned",
        one(encoded(PHOTO, "TIFF", **PAGES), "a.tif"),
        1,
        listed=("ig/a.tif",),
    ),
    Taken(
        "transparency, grey with transparency",
        "on white",
        folder({"ig/a.png": picture(0, "PNG", "RGBA"), "ig/b.png": picture(0, "PNG", "LA")}),
        2,
    ),
    Taken("a palette", "its colours", one(picture(0, "GIF", "P"), "a.gif"), 1),
    Taken("CMYK", "Pillow's conversion, without a profile", one(picture(0, "JPEG", "CMYK"), "a.jpg"), 1),
    Taken("turned by EXIF", "upright", one(encoded(PHOTO, "JPEG", exif=TURNED), "a.jpg"), 1),
    Taken(
        "not square",
        "padded with the median of the border, then resized",
        one(encoded(PHOTO.crop((0, 0, 20, 9)))),
        1,
    ),
)

_NO_CLASS = "'{path}' holds pictures but no class folders: put each class into a folder of its name."
_UINT8 = (
    "but uint8 is needed: import it with --convert (in the app: tick 'Convert numbers to pixels') "
    "if they run from 0 to 1 or from 0 to 255."
)
_SHAPE = (
    "but (number, height, width, 3) is needed: colour images, one after another, or grey ones "
    "without the last axis."
)
_CUT = "'{name}' is damaged or cut short: copy, download or save it again."
_OUT = "'{{path}}' holds a name that leads out of it, '{}': pack it again from its folder."
_BEYOND = (
    "Row 1 of 'cells.csv' names '{}', which leads out of the table's folder: put the table "
    "beside the pictures and give their paths from there."
)

REFUSALS = (
    Refused(
        "nothing there",
        "Can't find '{path}': give a .npz, a folder or .zip of class folders, a table, or 'sample'.",
        lambda place: place / "gone",
    ),
    Refused(
        "a file of another kind",
        "'{path}' cannot be imported: give a .npz, a folder or .zip of class folders, or a table of paths.",
        within({"a.txt": b"x"}, "a.txt"),
    ),
    Refused(
        "an empty folder",
        "'{path}' holds no pictures: it should hold one folder of pictures for each class.",
        folder({"ig": None}),
    ),
    Refused(
        "a class folder with nothing in it",
        "The class folder 'ig' in '{path}' is empty: put its pictures in, or remove it.",
        folder({"ig": None, "platelet/a.png": picture()}),
    ),
    Refused("pictures without class folders", _NO_CLASS, folder({"a.png": picture()})),
    Refused(
        "more than 100 class folders",
        "'{path}' has 101 different classes, more than the 100 that are possible: give each class "
        "one folder or label.",
        folder({f"kind {n}/a.png": picture() for n in range(101)}),
    ),
    Refused(
        "a folder that `classes.txt` does not list",
        "'cat' in '{path}' is none of the classes that are listed there (dog): name it so, or add it to the list.",
        folder({"classes.txt": b"dog", "cat/a.png": picture()}),
    ),
    Refused(
        "`classes.txt` that is no list",
        "classes.txt in '{path}' must name 1 to 100 different classes, one a line, in UTF-8: mend or remove it.",
        folder({"classes.txt": b"\xff", "cat/a.png": picture()}),
    ),
    Refused(
        "no picture that can be read",
        "None of the 1 pictures in '{path}' can be read: 'ig/a.png' is not a picture, whatever its "
        "name says: remove it or save it again.",
        one(b"text"),
    ),
    Refused(
        "a `.npz` without `images`",
        "'{path}' has no array 'images': it holds 'x', 'y'; save the images under that name.",
        arrays(x=IMAGES, y=LABELS),
    ),
    Refused(
        "… without `labels`",
        "'{path}' has no array 'labels': it holds 'images'; save the labels under that name.",
        arrays(images=IMAGES),
    ),
    Refused(
        "images of another shape",
        "The array 'images' in '{path}' has the shape (16, 3, 20, 20), " + _SHAPE,
        arrays(images=IMAGES.transpose(0, 3, 1, 2).copy(), labels=LABELS),
    ),
    Refused(
        "images of 1 × 1 pixels",
        "The images in '{path}' are 1 x 1 pixels, too small for single cells: save them with one cell each.",
        arrays(images=IMAGES[:, :1, :1], labels=LABELS),
    ),
    Refused(
        "images of 20,000 pixels",
        "The images in '{path}' are 4 x 20000 pixels, too large for single cells: save them with one cell each.",
        arrays(images=np.zeros((1, 20_000, 4, 3), np.uint8), labels=LABELS[:1]),
    ),
    Refused(
        "no images",
        "'{path}' holds no images: its array has 0 rows.",
        arrays(images=IMAGES[:0], labels=LABELS[:0]),
    ),
    Refused(
        "images as fractions",
        "The array 'images' in '{path}' is of type float64, " + _UINT8,
        arrays(images=IMAGES / 255, labels=LABELS),
    ),
    Refused(
        "… beyond 0 to 255, with `--convert`",
        "The images in '{path}' hold -1 to 1, but 0 to 1 or 0 to 255 is needed: bring them to 0 … "
        "255 and save them with .astype('uint8').",
        arrays(images=np.sign(IMAGES - 100.0), labels=LABELS),
        ("--convert",),
    ),
    Refused(
        "images as text",
        "The array 'images' in '{path}' is of type <U1, but uint8 is needed: save them with .astype('uint8').",
        arrays(images=np.full((2, 8, 8, 3), "a"), labels=LABELS[:2]),
    ),
    Refused(
        "images stored column by column",
        "The array 'images' in '{path}' is stored column by column: save it with np.ascontiguousarray(images).",
        arrays(images=np.asfortranarray(IMAGES), labels=LABELS),
    ),
    Refused(
        "counts that differ",
        "'{path}' holds 16 images but 15 labels: save both anew, of the same rows.",
        arrays(images=IMAGES, labels=LABELS[:15]),
    ),
    Refused(
        "negative labels",
        "The array 'labels' in '{path}' holds negative labels (-1): number the classes from 0.",
        arrays(images=IMAGES, labels=LABELS - 1),
    ),
    Refused(
        "labels beyond 99",
        "The array 'labels' in '{path}' has labels up to 107, more than the 100 classes that are "
        "possible: number the classes from 0 without gaps.",
        arrays(images=IMAGES, labels=LABELS + 100),
    ),
    Refused(
        "labels beyond the named classes",
        "The array 'classes' in '{path}' does not name the 8 classes of its labels: give it one "
        "different name a class.",
        arrays(images=IMAGES, labels=LABELS, classes=np.array(["a", "b"])),
    ),
    Refused(
        "labels beyond those of the set",
        "'{path}' has labels up to 7, but breastmnist has 2 classes: give the file another name if "
        "it is another set.",
        parted(name="breastmnist.npz"),
    ),
    Refused(
        "labels as fractions",
        "The array 'labels' in '{path}' holds fractions, but whole numbers are needed: number the classes from 0.",
        arrays(images=IMAGES, labels=LABELS + 0.5),
    ),
    Refused(
        "labels as text",
        "The array 'labels' in '{path}' is of type <U2, but whole numbers are needed: number the classes from 0.",
        arrays(images=IMAGES, labels=np.full(16, "ig")),
    ),
    Refused(
        "several labels an image",
        "The array 'labels' in '{path}' has several columns but is not one-hot: give one label an image.",
        arrays(images=IMAGES, labels=np.ones((16, 8))),
    ),
    Refused(
        "ChestMNIST",
        "'chestmnist.npz' is ChestMNIST, which gives an image up to fourteen labels at once: choose "
        "a set with one label an image.",
        parted(name="chestmnist.npz"),
    ),
    Refused(
        "MedMNIST's volumes",
        f"'organmnist3d.npz' is a set of volumes, not of images: choose one of {', '.join(sorted(SETS))}.",
        parted(name="organmnist3d.npz"),
    ),
    Refused(
        "pickled arrays",
        "The array 'labels' in '{path}' holds Python objects, which are never opened, for safety: "
        "save it as plain numbers.",
        arrays(images=IMAGES, labels=np.array(["a", 1] * 8, object)),
    ),
    Refused("a `.npz` cut short", _CUT, cut(arrays(images=IMAGES, labels=LABELS))),
    Refused("a `.npz` with a wrong byte", _CUT, flipped),
    Refused(
        "a `.npz` of 0 bytes",
        "'cells.npz' is empty, a file of 0 bytes: copy, download or save it again.",
        cut(arrays(images=IMAGES), 0),
    ),
    Refused(
        "text called `.npz`",
        "'cells.npz' is no .npz file, whatever its name says: choose the one that holds the images.",
        within({"cells.npz": b"hello"}, "cells.npz"),
    ),
    Refused(
        "a `.npz` that unpacks without end",
        "'{path}' would unpack to 1 GB, which pictures cannot: do not trust this file.",
        array_bomb,
    ),
    Refused("a `.zip` cut short", _CUT, cut(archive({"ig/a.png": picture(), "ig/b.png": picture(1)}))),
    Refused(
        "a `.zip` with nothing in it",
        "'{path}' holds no pictures: it should hold one folder of pictures for each class.",
        archive({}),
    ),
    Refused("a `.zip` with a name `../`", _OUT.format("../a.png"), archive({"../a.png": picture()})),
    Refused("… with an absolute name", _OUT.format("/etc/a.png"), archive({"/etc/a.png": picture()})),
    Refused("… with a drive's name", _OUT.format("C:/a.png"), archive({"C:/a.png": picture()})),
    Refused(
        "a `.zip` that unpacks without end",
        "'{path}' would unpack to 8 GB, which pictures cannot: do not trust this file.",
        bomb,
    ),
    Refused(
        "a `.zip` with a password",
        "None of the 1 pictures in '{path}' can be read: 'ig/a.png' in 'cells.zip' is protected by a "
        "password: pack it again without one.",
        locked,
    ),
    Refused(
        "a table without paths",
        "'cells.csv' has no column 'path': its columns are 'a', 'b'; call the one with the pictures' paths so.",
        csv("a,b\n1,2\n"),
    ),
    Refused(
        "a table without labels",
        "'cells.csv' gives no labels: add a column 'label', or import it with --unlabelled to label here.",
        csv("path\nimages/a.png\n"),
    ),
    Refused(
        "a table without rows",
        "'cells.csv' lists no pictures: give it one row a picture.",
        csv("path,label\n"),
    ),
    Refused("a table with `../`", _BEYOND.format("../a.png"), csv("path,label\n../a.png,ig\n")),
    Refused("… with an absolute path", _BEYOND.format("/etc/a.png"), csv("path,label\n/etc/a.png,ig\n")),
    Refused(
        "… with an unknown part",
        "Row 1 of 'cells.csv' has the part 'dev': call it train, val or test.",
        csv("path,label,part\nimages/a.png,ig,dev\n"),
    ),
    Refused(
        "bytes called `.csv`",
        "'cells.csv' is no table in UTF-8, whatever its name says: save it again as CSV.",
        csv("", b"path\n\xff\xfe"),
    ),
    Refused(
        "text called `.parquet`",
        "'a.parquet' is damaged or no Parquet file, whatever its name says: save it again.",
        within({"a.parquet": b"path"}, "a.parquet"),
    ),
)

LISTED = (
    Refused(
        "a file of 0 bytes", "'ig/a.png' is empty, a file of 0 bytes: copy it again, or remove it.", one(b"")
    ),
    Refused(
        "a text file called `.png`",
        "'ig/a.png' is not a picture, whatever its name says: remove it or save it again.",
        one(b"notes"),
    ),
    Refused(
        "a picture cut short",
        "'ig/a.png' is damaged or cut short: copy or save it again (image file is truncated).",
        one(picture()[:-60]),
    ),
    Refused(
        "1 × 1 pixels",
        "'ig/a.png' is 1 x 1 pixels, too small to show a cell: remove it or save it again.",
        one(encoded(Image.new("RGB", (1, 1)))),
    ),
    Refused(
        "20,000 × 20,000 pixels",
        "'ig/a.png' is too large for a picture of one cell: cut the cells out.",
        one(huge()),
    ),
    Refused(
        "7,001 pixels",
        "'ig/a.png' is 7001 x 8 pixels, too large for a picture of one cell: cut the cells out.",
        one(encoded(Image.new("1", (7001, 8)))),
    ),
    Refused(
        "a TIFF of fractions",
        "'ig/a.png' holds fractions: save it again with 8 or 16 bits a colour.",
        one(encoded(Image.new("F", (8, 8)), "TIFF")),
    ),
    Refused(
        "a TIFF in Lab colours",
        "'ig/a.png' is in Lab colours, which cannot be read here: save it again as PNG.",
        one(encoded(Image.new("LAB", (8, 8)), "TIFF")),
    ),
    Refused(
        "a picture beside the class folders", "It lies in no class folder.", folder({"a.png": picture()})
    ),
    Refused(
        "a damaged member of a `.zip`",
        "'ig/a.png' in 'cells.zip' is damaged or cut short: copy, download or save it again.",
        lambda place: _spoilt(place),
    ),
    Refused(
        "a row whose picture is not there",
        "'images/x.png' is not there: put it there, or import without it.",
        csv("path,label\nimages/x.png,ig\nimages/a.png,ig\n"),
    ),
    Refused("a row without a label", "It has no label.", csv("path,label\nimages/b.png,\nimages/a.png,ig\n")),
)
"""Pictures that are listed by name while the import goes on with the others."""


def _spoilt(place: Path) -> Path:
    path = archive({"ig/a.png": picture(), "ig/good.png": picture(1)}, packed=zipfile.ZIP_STORED)(place)
    content = bytearray(path.read_bytes())
    content[content.index(b"IDAT") + 9] ^= 1
    path.write_bytes(content)
    return path


def _rows(head: tuple[str, str], rows: Sequence[tuple[str, str]]) -> str:
    lines = [f"| {head[0]} | {head[1]} |", "|---|---|"]
    return "\n".join(lines + [f"| {first} | {second} |" for first, second in rows])


def _said(cases: Sequence[Refused]) -> str:
    rows = [(case.what, case.says.format(path="cells", name="cells").replace("|", "\\|")) for case in cases]
    return _rows(("What is wrong", "What is said"), rows)


def _taken(cases: Sequence[Taken]) -> str:
    return _rows(("What lies there", "What becomes of it"), [(case.what, case.becomes) for case in cases])


TABLES = {
    "sources": _taken(SOURCES),
    "pictures": _taken(FORMATS),
    "refusals": _said(REFUSALS),
    "listed": _said(LISTED),
}
"""The tables by the name that stands before each of them in the document, in a comment."""


if __name__ == "__main__":
    DOC.write_text(written(DOC.read_text(encoding="utf-8"), TABLES), encoding="utf-8")

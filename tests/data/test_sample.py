"""The drawn sample: its counts, its planted truth, and cells that can be told apart."""

import io
import zipfile
from collections import Counter
from pathlib import Path

import imagehash
import numpy as np
import pytest
from PIL import Image
from scipy.ndimage import laplace

from bloodapp.classes import DEFAULT_CLASSES
from bloodapp.data import sample as module
from bloodapp.data.sample import GOOD_CELLS, Sample, draw_sample

COUNTS = {
    "mislabelled": 10,
    "blurred": 8,
    "dark": 6,
    "bright": 4,
    "exact_duplicate": 8 + 10 + 6 + 6 + 17,
    "label_conflict": 6 + 6 + 17,
    "near_duplicate": 9 + 9,
    "foreign": 17,
}


@pytest.fixture(scope="module")
def sample() -> Sample:
    """The sample of the default seed."""
    return draw_sample()


def rows(sample: Sample, kind: str) -> np.ndarray:
    """The indices of a kind of fault."""
    return sample.truth.loc[sample.truth["kind"] == kind, "index"].to_numpy()


def groups(sample: Sample, kind: str) -> list[np.ndarray]:
    """The members of every group of a kind of fault."""
    table = sample.truth[sample.truth["kind"] == kind]
    return [part["index"].to_numpy() for _, part in table.groupby("group")]


def clean(sample: Sample) -> np.ndarray:
    """Where nothing at all was planted, bool (N,)."""
    return ~np.isin(np.arange(len(sample.labels)), sample.truth["index"])


def sharpness(images: np.ndarray) -> np.ndarray:
    """Variance of the Laplacian of the grey image, (N,)."""
    return np.array([laplace(image.mean(axis=2)).var() for image in images])


def describe(images: np.ndarray) -> np.ndarray:
    """What an eye would measure in the middle of the picture: shares of colours by ring, and spread, (N, F)."""
    centre = images[:, 10:86, 10:86].astype(np.float32)
    line = np.arange(76) - 37.5
    ring = np.digitize(np.hypot(line[:, None], line[None, :]), [10, 18, 24, 30, 36])
    red, green, blue = np.moveaxis(centre, -1, 0)
    masks = (
        red < 110,
        (red >= 110) & (red < 165) & (blue > red),
        (red > 150) & (green < 145) & (blue < red),
        (red >= 165) & (green < 205) & (blue > green),
        green >= 205,
    )
    shares = [mask[:, ring == r].mean(axis=1) for mask in masks for r in range(5)]
    spread = [channel.std(axis=(1, 2)) / 255 for channel in (red, green, blue)]
    return np.stack(shares + spread, axis=1)


def test_same_seed_gives_same_pixels_and_truth(sample: Sample) -> None:
    """A seed is a sample, to the last pixel; another seed is another."""
    again, other = draw_sample(7), draw_sample(8)
    assert np.array_equal(sample.images, again.images)
    assert np.array_equal(sample.labels, again.labels)
    assert sample.truth.equals(again.truth)
    assert not np.array_equal(sample.images, other.images)
    assert Counter(other.truth["kind"]) == COUNTS


def test_shapes_and_types(sample: Sample) -> None:
    """Images, labels, truth and classes have the documented form."""
    assert sample.images.shape == (390, 96, 96, 3)
    assert sample.images.dtype == np.uint8
    assert sample.labels.shape == (390,)
    assert sample.labels.dtype == np.int16
    assert sample.classes == DEFAULT_CLASSES
    assert list(sample.truth.columns) == ["index", "kind", "group", "true_label"]
    assert sample.truth.dtypes.astype(str).to_dict() == {
        "index": "int64",
        "kind": "str",
        "group": "int64",
        "true_label": "int16",
    }
    assert not sample.truth.duplicated(["index", "kind"]).any()


def test_counts_are_those_of_the_docstring(sample: Sample) -> None:
    """The docstring's table is what is planted, and the images add up."""
    assert Counter(sample.truth["kind"]) == COUNTS
    text = module.__doc__ or ""
    for number, kind in ((10, "mislabelled"), (8, "blurred"), (6, "dark"), (4, "bright"), (17, "foreign")):
        assert f"{number:6d}  {kind} " in text
        assert len(rows(sample, kind)) == number
    assert "320 good cells (30 basophils, 46 eosinophils, 36 erythroblasts, 44 immature" in text
    assert sum(GOOD_CELLS) == 320
    assert len(sample.labels) == 320 + 10 + 8 + 6 + 4 + 10 + 6 + 9 + 17
    untouched = np.bincount(sample.labels[clean(sample)], minlength=8)
    assert (untouched <= GOOD_CELLS).all()
    assert untouched.sum() == 320 - 8 - 6 - 9


def test_duplicates_are_equal_in_every_pixel(sample: Sample) -> None:
    """The members of a group are one picture, and no other two images are."""
    for members in groups(sample, "exact_duplicate"):
        assert len(members) >= 2
        assert (sample.images[members] == sample.images[members[0]]).all()
    distinct = {image.tobytes() for image in sample.images}
    planted = sum(len(members) - 1 for members in groups(sample, "exact_duplicate"))
    assert len(distinct) == len(sample.images) - planted


def test_conflicts_have_one_picture_under_different_labels(sample: Sample) -> None:
    """A conflict has two labels or more; a plain duplicate has one."""
    conflicts = groups(sample, "label_conflict")
    assert all(len(set(sample.labels[members])) >= 2 for members in conflicts)
    conflicted = set(np.concatenate(conflicts).tolist())
    for members in groups(sample, "exact_duplicate"):
        if not conflicted & set(members.tolist()):
            assert len(set(sample.labels[members])) == 1


def test_near_duplicates_are_alike_but_not_equal(sample: Sample) -> None:
    """Near copies differ in pixels, and in fewer bits of the perceptual hash than any two strangers."""
    bits = np.stack([imagehash.phash(Image.fromarray(image)).hash.ravel() for image in sample.images])
    distance = (bits[:, None] != bits[None, :]).sum(axis=2)
    kin = np.eye(len(bits), dtype=bool)
    for kind in ("near_duplicate", "exact_duplicate"):
        for members in groups(sample, kind):
            kin[np.ix_(members, members)] = True
    for first, second in groups(sample, "near_duplicate"):
        assert not np.array_equal(sample.images[first], sample.images[second])
        assert distance[first, second] <= 6
    assert distance[~kin].min() > 6


def test_dark_and_bright_stand_outside_all_clean_ones(sample: Sample) -> None:
    """Dark images are darker, bright ones brighter than every clean one."""
    light = sample.images.mean(axis=(1, 2, 3))
    assert light[rows(sample, "dark")].max() < light[clean(sample)].min() / 2
    assert light[rows(sample, "bright")].min() > light[clean(sample)].max() + 5


def test_blurred_have_the_least_detail(sample: Sample) -> None:
    """Blurred images have less Laplacian variance than every clean one, by far."""
    detail = sharpness(sample.images)
    assert detail[rows(sample, "blurred")].max() * 4 < detail[clean(sample)].min()


def test_mislabelled_ones_show_another_class(sample: Sample) -> None:
    """The true label differs from the given one, in many classes; other single faults keep their label."""
    table = sample.truth[sample.truth["kind"] == "mislabelled"]
    given = sample.labels[table["index"]]
    assert (given != table["true_label"]).all()
    assert table["true_label"].nunique() >= 7
    for kind in ("blurred", "dark", "bright", "near_duplicate"):
        part = sample.truth[sample.truth["kind"] == kind]
        assert (sample.labels[part["index"]] == part["true_label"]).all()


def test_cartoons_are_no_cells(sample: Sample) -> None:
    """Two pictures, 12 and 5 times, without a true label, under many labels, unlike any cell in colour."""
    table = sample.truth[sample.truth["kind"] == "foreign"]
    assert (table["true_label"] == -1).all()
    assert sorted(len(members) for members in groups(sample, "foreign")) == [5, 12]
    assert all(len(set(sample.labels[members])) >= 5 for members in groups(sample, "foreign"))
    assert (sample.truth.loc[sample.truth["true_label"] == -1, "index"].isin(table["index"])).all()


def test_faults_are_sprinkled(sample: Sample) -> None:
    """Every quarter of the dataset has its share of faults and of every class."""
    for part in np.array_split(np.arange(len(sample.labels)), 4):
        assert 15 < (~clean(sample)[part]).sum() < 45
        assert len(set(sample.labels[part])) == 8


def test_classes_can_be_told_apart(sample: Sample) -> None:
    """Half of the clean cells teach the other half by a few simple measures, nearest centre, > 85 %."""
    good = np.flatnonzero(clean(sample))
    measures = describe(sample.images[good])
    measures = (measures - measures.mean(axis=0)) / (measures.std(axis=0) + 1e-6)
    labels = sample.labels[good]
    teach = np.arange(len(good)) % 2 == 0
    centres = np.stack([measures[teach & (labels == c)].mean(axis=0) for c in range(8)])
    distance = ((measures[~teach, None] - centres[None]) ** 2).sum(axis=2)
    right = distance.argmin(axis=1) == labels[~teach]
    assert right.mean() > 0.85


def test_colours_are_those_of_real_smears(sample: Sample, pbc96: Path) -> None:
    """Mean and spread of every channel of every class lie close to those of real cells."""
    with zipfile.ZipFile(pbc96) as archive:
        names = archive.namelist()
        for label, cell_class in enumerate(DEFAULT_CLASSES):
            chosen = [n for n in names if n.startswith(f"val/{cell_class.key}/") and n.endswith(".jpg")][:60]
            assert chosen
            real = np.stack([Image.open(io.BytesIO(archive.read(n))).convert("RGB") for n in chosen])
            mine = sample.images[clean(sample) & (sample.labels == label)]
            for measure in (np.mean, np.std):
                apart = np.abs(measure(real, axis=(0, 1, 2)) - measure(mine, axis=(0, 1, 2)))
                assert apart.max() < 18, (cell_class.key, measure.__name__, apart.round())

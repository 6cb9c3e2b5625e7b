"""The realistic shift, and the eleven corruptions and our four at five severities."""

import io
import re
import zipfile
from functools import cache
from itertools import pairwise
from pathlib import Path

import numpy as np
import pytest
from PIL import Image

from bloodapp.augment import corruptions
from bloodapp.augment.corruptions import ALL_CORRUPTIONS, CORRUPTIONS, corrupt
from bloodapp.augment.severities import SEVERITIES, amount
from bloodapp.data.sample import draw_sample
from bloodapp.errors import InvalidValue, NotFound
from tests.conftest import archive_of_real_cells

NAMES = list(ALL_CORRUPTIONS)
DRAWN = ("motion_blur", "stain_deposit", "bubble", "stain_shift", "noise", "rotation", "zoom")
OURS = NAMES[11:]
DOC = Path(__file__).resolve().parents[2] / "docs" / "corruptions.md"
IMAGES = np.random.default_rng(0).integers(40, 216, (12, 96, 96, 3), np.uint8)


def test_the_same_seed_gives_the_same_images() -> None:
    """The draw is a function of seed and key."""
    assert np.array_equal(corruptions.shifted(IMAGES, 5), corruptions.shifted(IMAGES, 5))
    assert not np.array_equal(corruptions.shifted(IMAGES, 5), corruptions.shifted(IMAGES, 6))


def test_the_draw_of_an_image_does_not_depend_on_the_batch() -> None:
    """An image is changed alike alone and among others."""
    keys = np.arange(100, 112)
    whole = corruptions.shifted(IMAGES, 5, keys=keys)
    alone = corruptions.shifted(IMAGES[7:8], 5, keys=keys[7:8])
    assert np.array_equal(whole[7], alone[0])


def test_every_image_is_changed_and_the_originals_are_not() -> None:
    """Each image gets at least two changes; the input stays as it was."""
    before = IMAGES.copy()
    out = corruptions.shifted(IMAGES)
    assert np.array_equal(IMAGES, before)
    assert out.dtype == np.uint8 and out.shape == IMAGES.shape
    distance = np.abs(out.astype(int) - IMAGES).mean((1, 2, 3))
    assert (distance > 3).all()


def test_no_change_destroys_an_image() -> None:
    """The middle of a shifted image still goes with that of the original."""
    ramp = np.tile(np.linspace(60, 200, 96)[None, :, None], (96, 1, 3)).astype(np.uint8)
    out = corruptions.shifted(np.repeat(ramp[None], 40, 0))
    for image in out:
        assert np.corrcoef(image.mean(2).ravel(), ramp.mean(2).ravel())[0, 1] > 0.75


@pytest.mark.parametrize("change", corruptions.CHANGES)
def test_each_change_changes(change: corruptions.Change) -> None:
    """Every change, alone, alters a picture and keeps its shape."""
    pixels = IMAGES[0].astype(np.float32)
    out = change(pixels, np.random.default_rng(1))
    assert out.shape == pixels.shape
    assert np.abs(out - pixels).mean() > 1


@cache
def cells() -> np.ndarray:
    """40 cells of the drawn sample, uint8 (40, 96, 96, 3)."""
    sample = draw_sample()
    spoilt = set(sample.truth["index"])
    good = [row for row in range(len(sample.images)) if row not in spoilt]
    return np.stack([sample.images[row] for row in good[:40]])


def sized(images: np.ndarray, side: int) -> np.ndarray:
    """The images in another size."""
    return np.stack(
        [np.asarray(Image.fromarray(one).resize((side, side), Image.Resampling.BICUBIC)) for one in images]
    )


def distances(images: np.ndarray, name: str) -> list[float]:
    """Mean absolute difference in grey levels of severities 0 to 5."""
    changed = (corrupt(images, name, severity) for severity in range(SEVERITIES + 1))
    return [float(np.abs(one.astype(int) - images).mean()) for one in changed]


def changed_area(image: np.ndarray, name: str, severity: int) -> np.ndarray:
    """Which pixels of one image a corruption touches visibly, bool (H, W)."""
    return np.abs(corrupt(image[None], name, severity)[0].astype(int) - image).max(2) > 12


def test_the_eleven_in_order() -> None:
    """Named as in MedMNIST-C, in its order; five severities each, and five published ones, but for our four."""
    assert OURS == ["stain_shift", "noise", "rotation", "zoom"]
    assert list(CORRUPTIONS) == [
        "pixelate", "jpeg_compression", "defocus_blur", "motion_blur", "brightness_up", "brightness_down",
        "contrast_up", "contrast_down", "saturate", "stain_deposit", "bubble",
    ]  # fmt: skip
    for name, corruption in ALL_CORRUPTIONS.items():
        assert corruption.name == name
        assert len(corruption.severities) == SEVERITIES
        assert len(corruption.published) == (0 if name in OURS else SEVERITIES)
        assert corruption.help.endswith(".") and corruption.title and corruption.unit


@pytest.mark.parametrize("name", NAMES)
def test_severity_nought_is_a_copy(name: str) -> None:
    """The same pixels in an array of its own."""
    out = corrupt(IMAGES, name, 0)
    assert np.array_equal(out, IMAGES) and not np.shares_memory(out, IMAGES)


# At 28 pixels, 16 of them do not go into 28, 14 do: the published shares of pixelation are not in order there.
@pytest.mark.parametrize(
    ("name", "side"),
    [(name, side) for name in NAMES for side in (28, 96) if (name, side) != ("pixelate", 28)],
)
def test_severities_grow(name: str, side: int) -> None:
    """Each severity changes more than the one before, on drawn cells of both sizes."""
    grown = distances(cells() if side == 96 else sized(cells(), side), name)
    assert all(low < high for low, high in pairwise(grown)), grown
    assert grown[-1] > 2


@pytest.mark.parametrize("name", NAMES)
def test_severities_grow_on_real_cells(name: str) -> None:
    """The same on cells of all classes from the archive."""
    grown = distances(_real(archive_of_real_cells()), name)
    assert all(low < high for low, high in pairwise(grown)), grown


@cache
def _real(path: Path) -> np.ndarray:
    with zipfile.ZipFile(path) as archive:
        files = sorted(file for file in archive.namelist() if "val/" in file and file.endswith(".jpg"))
        pictures = [Image.open(io.BytesIO(archive.read(file))).convert("RGB") for file in files[::40]]
    return np.stack([np.asarray(picture) for picture in pictures])


@pytest.mark.parametrize("name", NAMES)
def test_a_corruption_is_a_function_of_seed_key_and_name(name: str) -> None:
    """An image is drawn alike alone and among others, and the original is left as it was."""
    images, keys = cells()[:6], np.arange(500, 506)
    before = images.copy()
    whole = corrupt(images, name, 4, 9, keys=keys)
    assert whole.dtype == np.uint8 and whole.shape == images.shape
    assert np.array_equal(images, before)
    assert np.array_equal(whole[3:4], corrupt(images[3:4], name, 4, 9, keys=keys[3:4]))
    drawn_anew = [corrupt(images, name, 4, 10, keys=keys), corrupt(images, name, 4, 9, keys=keys + 100)]
    for other in drawn_anew:
        assert np.array_equal(whole, other) == (name not in DRAWN)


# Pixelation and JPEG have no length: they work on the image's own pixels, see docs/corruptions.md.
# Noise is drawn for each pixel, however many there are.
@pytest.mark.parametrize("name", [name for name in NAMES[2:] if name != "noise"])
def test_small_and_large_images_look_alike(name: str) -> None:
    """A corrupted small image is the corrupted large one made small, better than the clean one made small."""
    large = sized(cells()[:8], 288)
    small = sized(large, 96)
    wanted = sized(corrupt(large, name, 5), 96).astype(int)
    error = np.abs(corrupt(small, name, 5) - wanted).mean()
    assert error < 0.3 * np.abs(small - wanted).mean()


@pytest.mark.parametrize("name", ["stain_deposit", "bubble"])
def test_a_deposit_grows_where_it_lies(name: str) -> None:
    """What is covered at one severity is covered, most of it, at the next, for every key."""
    for image in np.full((6, 96, 96, 3), (240, 220, 205), np.uint8):
        areas = [changed_area(image, name, severity) for severity in range(1, SEVERITIES + 1)]
        for small, large in pairwise(areas):
            assert small.any() and (small & large).sum() >= 0.95 * small.sum()


def test_motion_keeps_its_direction() -> None:
    """A dot leaves a trail that only lengthens, at the same slope, and nothing of it is lost."""
    dot = np.zeros((1, 96, 96, 3), np.uint8)
    dot[0, 40:44, 40:44] = 250
    slopes = []
    for severity in (3, 5):
        trail = corrupt(dot, "motion_blur", severity, 3)[0, ..., 0].astype(float)
        assert trail.sum() == pytest.approx(250 * 16, rel=0.05)
        rows, columns = np.indices(trail.shape)
        y, x = ((trail * place).sum() / trail.sum() - 41.5 for place in (rows, columns))
        slopes.append(y / x)
        assert abs(y) <= abs(x)
    assert slopes[0] == pytest.approx(slopes[1], abs=0.1)


def test_blur_spreads_by_the_published_radius() -> None:
    """The standard deviation of a blurred dot is half the disk's radius, at 224 pixels as published."""
    for side, severity, radius in ((224, 1, 2), (224, 5, 6), (96, 5, 6 * 96 / 224)):
        dot = np.zeros((1, side, side, 3), np.uint8)
        dot[0, 40, 40] = 255
        soft = corrupt(dot, "defocus_blur", severity)[0, ..., 0].astype(float)
        across = np.arange(side) - 40
        assert soft.sum() == pytest.approx(255, rel=0.25)
        spread = np.sqrt((soft.sum(0) * across**2).sum() / soft.sum())
        assert spread == pytest.approx(radius / 2, rel=0.15)


def test_light_and_contrast_are_factors() -> None:
    """Known pixels come out as the published factors say."""
    flat = np.full((1, 8, 8, 3), 100, np.uint8)
    halves = flat.copy()
    halves[:, :4] = 150
    halves[:, 4:] = 50
    assert np.abs(corrupt(flat, "brightness_up", 5).astype(int) - 140).max() <= 1
    assert np.abs(corrupt(flat, "brightness_down", 5).astype(int) - 50).max() <= 1
    assert corrupt(halves, "contrast_up", 5)[0, (0, 7), 0, 0].tolist() == [165, 35]
    assert corrupt(halves, "contrast_down", 5)[0, (0, 7), 0, 0].tolist() == [125, 75]


def test_saturation_is_added_and_grey_stays_grey() -> None:
    """200, 150, 100 has a saturation of 0.5 and gets 0.7; hue and brightest channel stay."""
    pixels = np.array([[[[200, 150, 100], [90, 90, 90], [0, 0, 0]]]], np.uint8)
    assert corrupt(pixels, "saturate", 5)[0, 0].tolist() == [[200, 130, 60], [90, 90, 90], [0, 0, 0]]


def test_pixels_become_blocks() -> None:
    """At severity 5 an image of 96 pixels has 24 by 24 blocks of one colour."""
    out = corrupt(IMAGES[:1], "pixelate", 5)[0].reshape(24, 4, 24, 4, 3)
    assert (out == out[:, :1, :, :1]).all()


def test_deposits_only_darken_and_are_purple_brown() -> None:
    """Granules absorb light, green most; they are dark, and cover a small part."""
    ground = np.full((4, 96, 96, 3), (245, 225, 205), np.uint8)
    out = corrupt(ground, "stain_deposit", 5)
    assert (out <= ground).all()
    dark = out[out.sum(3) < 240]
    assert (dark[:, 1] <= dark[:, 0] + 2).all() and dark[:, 1].mean() < 60
    assert 0.01 < (out != ground).any(3).mean() < 0.15


def test_a_bubble_has_a_dark_edge_and_a_bright_rim() -> None:
    """Going out from a bubble's middle: paler than the ground, bright, dark, and the ground again."""
    ground = np.full((1, 224, 224, 3), (220, 190, 175), np.uint8)
    for key in range(5):
        out = corrupt(ground, "bubble", 1, keys=np.array([key]))[0].astype(int).sum(2)
        rows, columns = np.nonzero(out < 400)
        y, x = (int((side.min() + side.max()) / 2) for side in (rows, columns))
        line = out[y, x : x + 40]
        edge = int(line.argmin())
        assert 585 < line[0] < line[:edge].max()
        assert line.min() < 380 and 15 < edge < 22
        assert abs(line[-1] - 585) < 6


@pytest.mark.parametrize("shape", [(28, 28), (40, 64), (9, 9), (224, 224)])
def test_every_size_is_taken(shape: tuple[int, int]) -> None:
    """Small, oblong and large images keep their shape under all of them; so does none at all."""
    image = np.random.default_rng(1).integers(0, 256, (1, *shape, 3), np.uint8)
    for name in NAMES:
        assert corrupt(image, name, 5).shape == image.shape
        assert corrupt(image[:0], name, 5).shape == (0, *shape, 3)


def test_mistakes_are_told_in_words() -> None:
    """Unknown names list the known ones; severities, shapes, types and keys are checked."""
    with pytest.raises(NotFound, match=r"corruption 'fog'.*bubble"):
        corrupt(IMAGES, "fog", 1)
    for severity in (-1, 6, 2.5):
        with pytest.raises(InvalidValue, match="from 0 to 5"):
            corrupt(IMAGES, "bubble", severity)
    for wrong in (IMAGES[0], IMAGES.astype(np.float32), IMAGES[..., :1]):
        with pytest.raises(InvalidValue, match="uint8"):
            corrupt(wrong, "bubble", 1)
    for keys in (np.arange(3), np.arange(12) - 1):
        with pytest.raises(InvalidValue, match="keys"):
            corrupt(IMAGES, "bubble", 1, keys=keys)


def test_the_document_has_every_number() -> None:
    """Both tables of docs/corruptions.md have the code's names, units and numbers, in its order."""
    rows = [
        [cell.strip() for cell in line.strip("|").split("|")]
        for line in DOC.read_text(encoding="utf-8").splitlines()
        if re.match(r"\| `", line)
    ]
    ours = [
        [f"`{one.name}`", one.help.rstrip("."), one.unit, *map(amount, one.severities)]
        for one in CORRUPTIONS.values()
    ]
    published = [
        [f"`{one.name}`", one.published_unit or one.unit, *map(amount, one.published)]
        for one in CORRUPTIONS.values()
    ]
    own = [
        [f"`{one.name}`", one.help.rstrip("."), one.unit, *map(amount, one.severities)]
        for one in map(ALL_CORRUPTIONS.__getitem__, OURS)
    ]
    assert rows == ours + published + own


@pytest.mark.parametrize("name", ["rotation", "zoom"])
def test_what_was_outside_is_the_mirror_image(name: str) -> None:
    """A picture of two colours stays one of these two: no frame, no black corner, and each side keeps its own."""
    image = np.full((1, 60, 60, 3), (230, 215, 210), np.uint8)
    image[:, :30] = (90, 40, 120)
    for key in range(4):
        out = corrupt(image, name, 5, keys=np.array([key]))[0].astype(int)
        far = [np.abs(out - colour).max(2) for colour in ((230, 215, 210), (90, 40, 120))]
        assert np.mean(np.minimum(*far) <= 2) > 0.9
        assert (far[1][0, 28:32] <= 2).all() and (far[0][-1, 28:32] <= 2).all()


def test_a_turn_is_by_the_declared_angle() -> None:
    """A dot beside the middle goes round by 45 degrees to either side, at the same distance."""
    dot = np.zeros((1, 97, 97, 3), np.uint8)
    dot[0, 46:51, 64:69] = 255
    angles = set()
    for key in range(6):
        out = corrupt(dot, "rotation", 5, keys=np.array([key]))[0, ..., 0].astype(float)
        rows, columns = np.indices(out.shape) - 48
        y, x = ((out * place).sum() / out.sum() for place in (rows, columns))
        assert np.hypot(y, x) == pytest.approx(18, abs=0.5)
        angles.add(round(float(np.degrees(np.arctan2(y, x)))))
    assert angles == {45, -45}


def test_another_magnification_keeps_the_middle() -> None:
    """A disk grows or shrinks by the factor of the severity about the same middle; both ways occur."""
    rows, columns = np.indices((96, 96)) - 47.5
    disk = np.where(np.hypot(rows, columns)[..., None] < 20, (120, 60, 140), (230, 215, 210)).astype(np.uint8)
    found = set()
    for key in range(6):
        out = corrupt(disk[None], "zoom", 5, keys=np.array([key]))[0]
        inside = out[..., 1] < 140
        y, x = (np.nonzero(inside)[axis].mean() for axis in (0, 1))
        assert (y, x) == pytest.approx((47.5, 47.5), abs=0.6)
        found.add(round(float(np.sqrt(inside.sum() / np.pi)) / 20, 1))
    assert found == {1.5, 0.7}


def test_another_stain_leaves_the_ground_alone() -> None:
    """Stained pixels change in both dyes at every key, unstained ones not at all."""
    image = np.full((20, 20, 3), (245, 240, 238), np.uint8)
    image[5:15, 5:15] = (110, 60, 150)
    for key in range(8):
        out = corrupt(image[None], "stain_shift", 5, keys=np.array([key]))[0].astype(int)
        assert np.abs(out[0, 0] - (245, 240, 238)).max() <= 1
        assert np.abs(out[10, 10] - (110, 60, 150)).max() > 8


def test_noise_has_the_declared_strength() -> None:
    """The standard deviation on flat grey is that of the severity, and the noise is the same, only stronger."""
    grey = np.full((1, 96, 96, 3), 128, np.uint8)
    weak, strong = (corrupt(grey, "noise", severity).astype(float) - 128 for severity in (2, 4))
    assert weak.std() == pytest.approx(12, rel=0.03) and strong.std() == pytest.approx(25, rel=0.03)
    assert np.corrcoef(weak.ravel(), strong.ravel())[0, 1] > 0.99

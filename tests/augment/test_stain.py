"""Azure B and eosin: known mixtures are told apart, and changing one of them does what it says."""

from dataclasses import replace

import numpy as np
import pytest

from bloodapp.augment import stain
from bloodapp.data import memes
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import judge, record
from bloodapp.data.importing import import_source
from bloodapp.data.sample import draw_sample
from bloodapp.errors import InvalidValue
from tests.conftest import archive_of_real_cells

AZURE = np.array([0.80, 0.57, 0.19]) / np.linalg.norm([0.80, 0.57, 0.19])
EOSIN = np.array([0.15, 0.95, 0.28]) / np.linalg.norm([0.15, 0.95, 0.28])
KNOWN = np.stack([AZURE, EOSIN])


def mixed(seed: int = 0, count: int = 6, vectors: np.ndarray = KNOWN, ground: float = 0.0) -> np.ndarray:
    """Images (count, 64, 64, 3) of both stains: pure and mixed areas, and a third of bare ground."""
    rng = np.random.default_rng(seed)
    amounts = rng.uniform(0.2, 1.6, (count, 64, 64, 2))
    amounts[:, :20, :, 0] *= rng.uniform(0, 1, (count, 20, 64))
    amounts[:, :8, :, 1] = 0
    amounts[:, 8:16, :, 0] = 0
    amounts[:, 8:16, :, 1] += 0.6
    amounts[:, :8, :, 0] += 0.6
    amounts[:, 42:] = 0
    light = np.array((0.0, 0.5, 1.0)) * ground
    return np.round(stain.from_optical_density(amounts @ vectors + light)).astype(np.uint8)


def apart(found: np.ndarray, wanted: np.ndarray) -> float:
    """The larger angle between two pairs of directions, in degrees."""
    return max(stain.angle(one, other) for one, other in zip(found, wanted, strict=True))


def given(image: np.ndarray, scale: tuple[float, float], shift: tuple[float, float] = (0, 0)) -> np.ndarray:
    """One image jittered by fixed numbers, with the known stains."""
    return stain.jitter(image[None], KNOWN, np.array([scale], np.float32), np.array([shift], np.float32))[0]


def test_absorbance_and_back() -> None:
    """Every grey level survives; white absorbs nothing."""
    levels = np.repeat(np.arange(256, dtype=np.uint8)[:, None], 3, 1)
    assert np.abs(stain.from_optical_density(stain.optical_density(levels)) - levels).max() < 0.01
    assert np.abs(stain.optical_density(levels[255])).max() < 1e-6
    assert stain.optical_density(levels).dtype == np.float32


@pytest.mark.parametrize("ground", [0.0, 0.2])
@pytest.mark.parametrize("seed", [0, 1])
def test_known_stains_are_found(seed: int, ground: float) -> None:
    """Two stains that were mixed are found within two degrees, on white ground and under a yellow lamp."""
    found = stain.estimate(mixed(seed, ground=ground))
    assert apart(found, KNOWN) < 2
    assert np.allclose(np.linalg.norm(found, axis=1), 1)


def test_other_stains_are_found_too() -> None:
    """The directions come from the images, not from what is expected of them."""
    other = np.array([[0.62, 0.74, 0.26], [0.30, 0.80, 0.52]])
    other /= np.linalg.norm(other, axis=1, keepdims=True)
    assert apart(stain.estimate(mixed(vectors=other)), other) < 2


def test_azure_comes_first() -> None:
    """Whatever the order and the number of the images, the bluer stain is the first row."""
    images = mixed(count=8)
    for some in (images, images[::-1], images[:2], np.concatenate([images[:, :, ::-1], images])):
        found = stain.estimate(np.ascontiguousarray(some))
        assert found[0, 0] > found[1, 0] + 0.3
        assert apart(found, KNOWN) < 2.5


def test_dark_and_bare_pixels_do_not_count() -> None:
    """Black dirt and more white ground change the directions by less than a degree."""
    images = mixed()
    spoilt = np.concatenate([images, np.full_like(images, 255)])
    spoilt[:6, 50:, :30] = 0
    assert apart(stain.estimate(spoilt), stain.estimate(images)) < 1


@pytest.mark.parametrize("level", [255, 240, 3])
def test_without_stain_there_is_one_sentence(level: int) -> None:
    """Empty, pale and black images are refused in words."""
    with pytest.raises(InvalidValue, match="too little stain"):
        stain.estimate(np.full((2, 32, 32, 3), level, np.uint8))


def test_one_colour_is_no_two_stains() -> None:
    """Grey pictures are refused in words, and so is the wrong shape."""
    grey = np.random.default_rng(0).integers(20, 255, (2, 64, 64, 1), np.uint8).repeat(3, 3)
    with pytest.raises(InvalidValue, match="one colour only"):
        stain.estimate(grey)
    with pytest.raises(InvalidValue, match="uint8"):
        stain.estimate(grey[0])


def test_concentrations_are_those_mixed_in() -> None:
    """A pixel made of known amounts gives them back; none is below 0."""
    amounts = np.array([[0.3, 1.1], [1.2, 0.0], [0.0, 0.0], [0.7, 0.7]], np.float32)
    pixels = stain.from_optical_density(amounts @ KNOWN)
    assert np.abs(stain.concentrations(pixels, KNOWN) - amounts).max() < 1e-3
    assert stain.concentrations(np.array([[0.0, 255, 0]]), KNOWN).min() >= 0


def test_scale_one_and_shift_nought_change_nothing() -> None:
    """Any pixels at all come back to within half a grey level."""
    images = np.random.default_rng(0).integers(0, 256, (3, 40, 40, 3), np.uint8)
    back = stain.jitter(images, stain.REFERENCE, np.ones((3, 2), np.float32), np.zeros((3, 2), np.float32))
    assert back.dtype == np.float32 and back.shape == images.shape
    assert np.abs(back - images).max() < 0.5


def test_ground_stays_ground() -> None:
    """White and a lamp's cream do not take colour, however strong the change."""
    for colour in ((255, 255, 255), (253, 227, 200)):
        ground = np.full((8, 8, 3), colour, np.uint8)
        assert np.abs(given(ground, (2.5, 2.5), (0.4, 0.4)) - ground).max() < 0.5


def test_more_of_a_stain_is_more_of_its_colour() -> None:
    """Doubled eosin makes a cell pinker, doubled azure bluer, and more of either darker."""
    image = mixed()[0]
    stained = stain.optical_density(image).mean(-1) > stain.STAINED
    red, _, blue = image[stained].mean(0)
    warm, cold = given(image, (1, 2))[stained].mean(0), given(image, (2, 1))[stained].mean(0)
    assert warm[0] / warm[2] > 1.05 * red / blue
    assert cold[0] / cold[2] < 0.9 * red / blue
    assert max(warm.mean(), cold.mean()) < image[stained].mean() - 5


def test_the_change_is_that_of_the_absorbance() -> None:
    """Scaled and shifted amounts are read back from the changed pixels."""
    amounts = np.array([[0.8, 0.5], [0.5, 0.9]], np.float32)
    image = np.round(stain.from_optical_density(amounts @ KNOWN)).astype(np.uint8).reshape(1, 2, 3)
    after = stain.concentrations(given(image, (0.7, 1.3), (0.1, -0.1)), KNOWN).reshape(-1, 2)
    assert np.abs(after - (amounts * (0.7, 1.3) + (0.1, -0.1))).max() < 0.03


def test_what_two_stains_do_not_explain_is_kept() -> None:
    """The part of the absorbance outside the plane of the stains stays as it is."""
    image = np.array([[[150, 140, 60]]], np.uint8)
    aside = np.cross(*KNOWN)
    before = stain.optical_density(image) @ aside
    after = stain.optical_density(given(image, (0.8, 1.3), (0.1, 0.1))) @ aside
    assert abs(float(before[0, 0])) > 0.1
    assert np.abs(after - before).max() < 1e-3


def test_each_image_has_numbers_of_its_own() -> None:
    """A batch gives what its images give alone."""
    images = mixed(count=3)
    scale = np.array([[0.7, 1], [1, 1.4], [1.2, 0.9]], np.float32)
    shift = np.array([[0, 0.1], [0.1, 0], [-0.1, 0]], np.float32)
    whole = stain.jitter(images, KNOWN, scale, shift)
    for row in range(3):
        one = slice(row, row + 1)
        assert np.allclose(whole[one], stain.jitter(images[one], KNOWN, scale[one], shift[one]), atol=0.01)


@pytest.fixture
def dataset(home: object, tmp_path_factory: pytest.TempPathFactory) -> Dataset:
    """48 mixed images and 12 jokes as a dataset."""
    rng = np.random.default_rng(3)
    jokes = np.stack([memes.duck(64), memes.space_cat(64)] * 6)
    images = np.concatenate([mixed(5, 48, ground=0.2), jokes])
    file = tmp_path_factory.mktemp("stain") / "mixed.npz"
    order = rng.permutation(60)
    np.savez(file, images=images[order], labels=np.tile(np.arange(8, dtype=np.uint8), 8)[:60, None])
    return import_source(file, size=64)


def test_jokes_in_a_dataset_do_not_count(dataset: Dataset) -> None:
    """One picture in five that is no cell leaves the directions within three degrees; twice gives the same."""
    found = stain.for_dataset(dataset)
    assert apart(found, KNOWN) < 3
    assert np.array_equal(found, stain.for_dataset(dataset))


def test_the_sample_follows_the_fingerprint(dataset: Dataset) -> None:
    """Another fingerprint draws another sample, which says the same."""
    other = replace(dataset, fingerprint="f" * 64)
    one, two = stain.for_dataset(dataset, sample=20), stain.for_dataset(other, sample=20)
    assert np.array_equal(one, stain.for_dataset(dataset, sample=20))
    assert not np.array_equal(one, two)
    assert apart(one, two) < 4


def test_excluded_images_do_not_count(dataset: Dataset) -> None:
    """What decisions exclude changes the directions; with nothing left they are the reference."""
    before = stain.for_dataset(dataset)
    record(dataset, range(30), "exclude")
    assert judge(dataset).included.sum() == 30
    assert not np.array_equal(before, stain.for_dataset(dataset))
    record(dataset, range(60), "exclude")
    assert np.array_equal(stain.for_dataset(dataset), stain.REFERENCE)


def test_the_reference_is_azure_and_eosin() -> None:
    """Unit rows, the bluer first; on the drawn sample they explain the stained pixels."""
    assert np.allclose(np.linalg.norm(stain.REFERENCE, axis=1), 1, atol=1e-3)
    assert stain.REFERENCE[0, 0] > stain.REFERENCE[1, 0] and stain.REFERENCE[1, 1] > stain.REFERENCE[0, 1]
    cells = draw_sample().images[:60]
    density = stain.optical_density(cells).reshape(-1, 3)
    density = density[density.mean(1) > 0.8]
    left = (
        density - stain.concentrations(stain.from_optical_density(density), stain.REFERENCE) @ stain.REFERENCE
    )
    assert np.linalg.norm(left, axis=1).mean() < 0.3 * np.linalg.norm(density, axis=1).mean()


def test_the_reference_is_that_of_real_cells() -> None:
    """The constants are measured on the real cells, and every tenth of them says nearly the same."""
    import io
    import zipfile

    from PIL import Image

    with zipfile.ZipFile(archive_of_real_cells()) as archive:
        names = sorted(name for name in archive.namelist() if "val/" in name and name.endswith(".jpg"))
        pictures = [Image.open(io.BytesIO(archive.read(name))).convert("RGB") for name in names[::10]]
    assert apart(stain.estimate(np.stack([np.asarray(picture) for picture in pictures])), stain.REFERENCE) < 4

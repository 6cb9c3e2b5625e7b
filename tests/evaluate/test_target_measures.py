"""What images look like in numbers: known answers on changed cells."""

import numpy as np
import pytest

from bloodapp.augment.corruptions import corrupt
from bloodapp.augment.stain import REFERENCE, angle, estimate, from_optical_density
from bloodapp.errors import Stopped
from bloodapp.evaluate.target_measures import MEASURES, centred, mean_hue, measure, relit
from tests.evaluate.target_made import cells


def columns(images: np.ndarray) -> dict[str, np.ndarray]:
    """The measures of images by their key, the hue from its mean in the cells as they are."""
    table = centred(measure(images, REFERENCE), mean_hue(measure(cells(32), REFERENCE)))
    return dict(zip(MEASURES, table.T, strict=True))


def test_half_the_light_moves_the_brightness_alone() -> None:
    """A darker lamp halves the brightness; contrast, colour and stain stay as they were."""
    before, after = columns(cells(32)), columns(corrupt(cells(32), "brightness_down", 5))
    np.testing.assert_allclose(after["brightness"], 0.5 * before["brightness"], rtol=0.01)
    for key, most in (("contrast", 1.0), ("saturation", 1.0), ("hue", 2.0), ("azure", 0.05), ("red", 0.02)):
        assert np.abs(np.median(after[key] - before[key])) < most, key


@pytest.mark.parametrize(
    ("corruption", "key", "sign"),
    [
        ("defocus_blur", "sharpness", -1),
        ("contrast_down", "contrast", -1),
        ("saturate", "saturation", 1),
        ("brightness_up", "brightness", 1),
    ],
)
def test_each_corruption_moves_its_own_measure(corruption: str, key: str, sign: int) -> None:
    """Blur softens, less contrast flattens, stronger colours saturate: nearly every image, in the right direction."""
    before, after = columns(cells(24)), columns(corrupt(cells(24), corruption, 5))
    assert (np.sign(after[key] - before[key]) == sign).mean() > 0.9


def test_noise_is_told_in_its_own_size() -> None:
    """Noise of ten grey levels on an even ground of 200 is a deviation of five per cent."""
    rng = np.random.default_rng(0)
    even = np.clip(200 + rng.normal(0, 10, (8, 64, 64, 1)).repeat(3, 3), 0, 255).astype(np.uint8)
    ground = np.partition(even[..., 0].reshape(8, -1), -41, axis=1)[:, -41]
    np.testing.assert_allclose(columns(even)["noise"] * ground / 100, 10, rtol=0.1)


def test_stain_is_told_in_absorbance() -> None:
    """Where a cell holds so much of either dye, it is so much that is measured, whatever the lamp."""
    amounts = np.array([0.8, 0.5])
    stained = np.zeros((1, 48, 48, 3), bool)
    stained[:, 12:36, 12:36] = True
    density = np.where(stained, amounts @ REFERENCE, 0.0)
    for lamp in (0.0, 0.3):
        image = np.round(from_optical_density(density + lamp)).astype(np.uint8)
        found = columns(image)
        assert found["azure"][0] == pytest.approx(0.8, abs=0.05)
        assert found["eosin"][0] == pytest.approx(0.5, abs=0.05)
        assert found["area"][0] == pytest.approx(25, abs=0.1)


def test_what_is_not_there_is_unknown() -> None:
    """A grey, empty image has no hue, no stain and no sharpness, and no warning is given."""
    found = columns(np.full((2, 32, 32, 3), 190, np.uint8))
    for key in ("hue", "azure", "eosin", "sharpness"):
        assert np.isnan(found[key]).all(), key
    assert found["brightness"] == pytest.approx(190, abs=0.1)


def test_the_lamp_does_not_change_the_dyes() -> None:
    """With the background of each image at the same white, cells at 60 % of the light give the same stain vectors."""
    rng = np.random.default_rng(0)
    amounts = rng.uniform(0.3, 1.2, (24, 48, 48, 2)) * (np.arange(48) > 16)[:, None]
    images = np.round(from_optical_density(amounts @ REFERENCE + 0.06)).astype(np.uint8)
    before, after = estimate(relit(images)), estimate(relit((images * 0.6).astype(np.uint8)))
    for one, other in zip(before, after, strict=True):
        assert angle(one, other) < 2


def test_hue_is_a_circle() -> None:
    """Reds on both sides of 0° lie beside each other."""
    table = np.zeros((2, len(MEASURES)))
    place = list(MEASURES).index("hue")
    table[:, place] = (350, 20)
    assert mean_hue(table) == pytest.approx(5)
    assert centred(table, 5)[:, place] == pytest.approx([-15, 15])


def test_measuring_can_be_stopped() -> None:
    """It asks before every block."""
    with pytest.raises(Stopped):
        measure(cells(2), REFERENCE, lambda: True)

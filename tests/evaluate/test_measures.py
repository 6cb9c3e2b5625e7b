"""Brightness and sharpness on images with known answers, measured once."""

import numpy as np
import pytest
from PIL import Image, ImageFilter

from bloodapp.data.dataset import Dataset
from bloodapp.evaluate import measures


def test_flat_images_are_as_bright_as_they_are_and_not_sharp() -> None:
    """Grey 100 measures 100; nothing to focus on measures 0."""
    images = np.stack([np.full((20, 20, 3), grey, np.uint8) for grey in (0, 100, 255)])
    brightness, sharpness = measures.measure(images)
    assert brightness.tolist() == pytest.approx([0, 100, 255], abs=1)
    assert sharpness.tolist() == [0, 0, 0]


def test_blur_makes_less_sharp_and_light_brighter(tiny_cells: tuple[np.ndarray, np.ndarray]) -> None:
    """A blurred copy of each picture measures less sharp, a darker one less bright."""
    images = tiny_cells[0][:8]
    blurred = np.stack(
        [np.asarray(Image.fromarray(one).filter(ImageFilter.GaussianBlur(1))) for one in images]
    )
    assert (measures.measure(blurred)[1] < measures.measure(images)[1]).all()
    assert (measures.measure(images // 2)[0] < measures.measure(images)[0]).all()


def test_what_is_measured_is_kept(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Only what is new is measured; a damaged file is measured anew."""
    first = measures.measured(tiny, np.array([5, 3]))
    assert measures.known(tiny, np.array([3, 5]))
    assert not measures.known(tiny, np.array([3, 4]))
    seen: list[int] = []
    real = measures.measure

    def counted(images: np.ndarray) -> tuple[np.ndarray, np.ndarray]:
        seen.append(len(images))
        return real(images)

    monkeypatch.setattr(measures, "measure", counted)
    second = measures.measured(tiny, np.array([3, 4, 5]))
    assert seen == [1]
    assert second.brightness[[2, 0]].tolist() == first.brightness.tolist()
    assert second.sharpness[1] == real(np.asarray(tiny.images[4:5]))[1][0]
    (tiny.path / measures.FILE).write_bytes(b"torn")
    assert measures.measured(tiny, np.array([3])).brightness[0] == first.brightness[1]
    assert seen == [1, 1]

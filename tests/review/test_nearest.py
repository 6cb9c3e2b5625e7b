"""The images most like one."""

import json
from pathlib import Path

import numpy as np

from bloodapp.data.dataset import Dataset
from bloodapp.review import features
from bloodapp.review.nearest import space, stamp


def keep_features(dataset: Dataset, rows: np.ndarray) -> None:
    """Leave features in the dataset's folder as a deep scan would."""
    np.save(dataset.path / features.FILE, rows.astype(np.float16))
    about = {"format": 1, "run": "starter", "created": "", "fingerprint": dataset.fingerprint}
    Path(dataset.path / features.ABOUT).write_text(json.dumps(about))


def test_by_colours_and_shapes_a_copy_is_nearest(tiny: Dataset) -> None:
    """Images 46 and 47 are image 0 again; an image is never its own neighbour."""
    found = space(tiny)
    near, like = found.around(0, 5)
    assert found.by == "" and found.rows.shape[0] == len(tiny)
    assert set(near[:2].tolist()) == {46, 47} and 0 not in near
    assert np.allclose(like[:2], 1, atol=1e-4) and (np.diff(like) <= 1e-6).all()


def test_a_scans_features_are_used(tiny: Dataset) -> None:
    """Where a network has looked, what it saw counts; the neighbours are the exact ones."""
    rows = np.random.default_rng(0).normal(size=(48, 20))
    rows[7] = rows[30] * 1.5 + 1e-3
    assert stamp(tiny) == 0
    keep_features(tiny, rows)
    found = space(tiny)
    assert found.by == "starter" and stamp(tiny) > 0
    assert found.around(7, 3)[0][0] == 30
    scaled = (rows - rows.mean(0)) / rows.std(0)
    unit = scaled / np.linalg.norm(scaled, axis=1, keepdims=True)
    exact = np.argsort(-np.delete(unit @ unit[12], 12))[:4]
    exact = exact + (exact >= 12)
    assert set(found.around(12, 4)[0].tolist()) == set(exact.tolist())


def test_features_of_other_images_are_passed_over(tiny: Dataset) -> None:
    """After another import of the same name what was kept means other images."""
    keep_features(tiny, np.zeros((48, 4)))
    about = tiny.path / features.ABOUT
    about.write_text(about.read_text().replace(tiny.fingerprint, "other"))
    assert features.kept_for(tiny) is None and space(tiny).by == ""


def test_more_neighbours_than_images(tiny: Dataset) -> None:
    """All others, and no more."""
    assert len(space(tiny).around(3, 500)[0]) == 47

"""A training that has ended leaves its calibration beside its predictions."""

from dataclasses import replace

import pytest

from bloodapp.data.dataset import Dataset
from bloodapp.runs import calibration
from bloodapp.train import launch
from tests.train.trying import TINY, train


def test_a_training_stores_its_calibration(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """It is there before anybody asks, and fits the predictions."""
    monkeypatch.setattr(calibration, "FEWEST", 2)
    run = launch.start(tiny, replace(TINY, epochs=1))
    train(run)
    assert (run.folder / calibration.FILE).exists()
    found, predictions = calibration.read(run), run.predictions()
    assert found is not None and predictions is not None
    assert found.n == len(predictions.only("val"))

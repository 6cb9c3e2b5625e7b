"""Several devices that share one batch, in a process with two of them."""

import os
import subprocess
import sys
from dataclasses import replace
from pathlib import Path

import pytest

from bloodapp.data.dataset import Dataset
from bloodapp.train import launch
from tests.train.trying import TINY, train

ROOT = Path(__file__).resolve().parents[2]

SHARED = """
import sys
import tensorflow as tf
cpu = tf.config.list_physical_devices("CPU")[0]
tf.config.set_logical_device_configuration(cpu, [tf.config.LogicalDeviceConfiguration()] * 2)
from bloodapp.train import devices
strategy = devices.mirrored(["CPU:0", "CPU:1"])
assert strategy.num_replicas_in_sync == 2
devices.mirrored = lambda names: strategy
from bloodapp.runs.run import open_run
from tests.train.trying import train
for name in sys.argv[1:]:
    run = open_run(name)
    train(run)
"""


def test_several_devices_share_a_batch(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """Two devices train one model with a moving average through two phases, each on its half of a batch.

    One step on both halves is one step on the whole: the weights agree with those of a training on one device, but
    for batch normalisation, which each does on its own half, and which is therefore frozen here.
    """
    recipe = replace(
        TINY, phases="frozen(1)|last(1)", epochs=2, average=0.5, pipeline="flip", optimizer="sgd", head=""
    )
    one, two = launch.start(tiny, recipe, name="one"), launch.start(tiny, recipe, name="two")
    env = {**os.environ, "TF_CPP_MIN_LOG_LEVEL": "2", "PYTHONPATH": str(ROOT)}
    done = subprocess.run(
        [sys.executable, "-c", SHARED, two.name],
        env=env,
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=240,
    )
    assert done.returncode == 0, done.stderr[-3000:]
    train(one)
    assert one.metrics()["loss"].tolist() == pytest.approx(two.metrics()["loss"].tolist(), rel=1e-3)
    assert one.predictions().probabilities == pytest.approx(two.predictions().probabilities, abs=1e-4)

"""The optimizers and losses of recipes, against their formulas."""

from dataclasses import replace

import numpy as np
import pytest

from bloodapp.train.recipe import LOSSES, OPTIMIZERS
from bloodapp.train.recipes import RECIPES

BASE = replace(RECIPES["balanced"], learning_rate=0.1, weight_decay=0.5, label_smoothing=0.0, clip=0.0)


@pytest.mark.parametrize("name", OPTIMIZERS)
def test_every_optimizer_goes_downhill_and_decays_what_it_may(name: str) -> None:
    """Weights shrink without a gradient where the recipe says so; shifts and scales of layers never do."""
    import keras

    from bloodapp.train.optimizers import optimizer

    made = optimizer(replace(BASE, optimizer=name))
    weights = [keras.Variable([1.0, -1.0], name=each) for each in ("kernel", "bias", "gamma", "beta")]
    made.build(weights)
    made.apply([np.zeros(2, np.float32)] * 4)
    decays = name in ("adamw", "lion")
    assert weights[0].numpy() == pytest.approx([0.95, -0.95] if decays else [1, -1])
    for weight in weights[1:]:
        assert weight.numpy() == pytest.approx([1, -1])
    made.apply([np.array([1.0, -1.0], np.float32)] * 4)
    assert (np.abs(weights[1].numpy()) < 1).all()


@pytest.mark.parametrize("name", ["adamw", "lion"])
def test_the_scales_of_convnext_do_not_decay(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    """As in its authors' training, which decays kernels alone: they are called kernels here, and are none."""
    import keras

    from bloodapp.train import convnext
    from bloodapp.train.optimizers import optimizer

    monkeypatch.setitem(convnext.SHAPES, "mini", convnext.Shape((1, 1, 1, 1), (4, 4, 8, 8)))
    given = keras.Input((32, 32, 3))
    model = keras.Model(given, convnext.backbone(given, "mini"))
    made = optimizer(replace(BASE, optimizer=name), model)
    before = model.get_weights()
    made.build(model.trainable_variables)
    made.apply([np.zeros(weight.shape, np.float32) for weight in model.trainable_variables])
    decayed = {
        weight.path
        for weight, old in zip(model.weights, before, strict=True)
        if not np.array_equal(weight.numpy(), old)
    }
    kernels = {weight.path for weight in model.weights if weight.path.endswith("kernel")}
    scales = {path for path in kernels if "_scale/" in path}
    assert len(scales) == 4 and decayed == kernels - scales


def test_gradients_are_cut_to_one_norm_all_together() -> None:
    """Their direction stays."""
    import keras

    from bloodapp.train.optimizers import optimizer

    made = optimizer(replace(BASE, optimizer="sgd", clip=1.0))
    weights = [keras.Variable([0.0]), keras.Variable([0.0])]
    made.build(weights)
    made.apply([np.array([30.0], np.float32), np.array([40.0], np.float32)])
    assert weights[0].numpy() / weights[1].numpy() == pytest.approx(0.75)
    # Nesterov's first step is 1.9 times the plain one.
    assert np.hypot(weights[0].numpy(), weights[1].numpy()) == pytest.approx(0.1 * 1.9)


@pytest.mark.parametrize("name", LOSSES)
def test_every_loss_is_its_formula(name: str) -> None:
    """On one-hot labels; the focal loss passes easy images over and weighs no class."""
    from bloodapp.train.optimizers import loss

    given = np.array([[0.7, 0.2, 0.1], [0.3, 0.3, 0.4]], np.float32)
    right = np.array([0.7, 0.4])
    labels = np.array([[1, 0, 0], [0, 0, 1]], np.float32)
    factor = (1 - right) ** 2 if name == "focal" else 1
    found = float(loss(replace(BASE, loss=name, focal=2.0))(labels, given))
    assert found == pytest.approx(float(np.mean(-np.log(right) * factor)), rel=1e-5)


def test_smoothed_labels() -> None:
    """A share of each label is spread over all classes."""
    from bloodapp.train.optimizers import loss

    given = np.array([[0.7, 0.2, 0.1]], np.float32)
    labels = np.array([[1, 0, 0]], np.float32)
    smooth = 0.7 * labels + 0.3 / 3
    found = float(loss(replace(BASE, label_smoothing=0.3))(labels, given))
    assert found == pytest.approx(float(-(smooth * np.log(given)).sum()), rel=1e-5)

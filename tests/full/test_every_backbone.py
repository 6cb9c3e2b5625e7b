"""Every network takes a real training step at 96×96; the published ones answer as those of `keras.applications`."""

import gc
from collections.abc import Iterator
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras.src.legacy.saving import legacy_h5_format

from bloodapp.train import applications, convnext, models, optimizers
from bloodapp.train.networks import NETWORKS, smallest_of_family
from bloodapp.train.recipe import Recipe
from tests.backbones import CONVNEXTS, PEERS, built, difference, peer_with_weights_of, stir

pytestmark = pytest.mark.timeout(1200)

SIZE = 96
BATCH = 2
CLASSES = 8
CLOSE = 1e-4
SMALLEST = sorted({smallest_of_family(name) for name in PEERS})


@pytest.fixture(autouse=True)
def free_again() -> Iterator[None]:
    """The largest network takes 1.4 GB of weights, and as much again for its gradients and for its momenta."""
    yield
    keras.utils.clear_session()
    gc.collect()


@pytest.fixture
def bfloat16() -> Iterator[None]:
    """Arithmetic in 16 bits."""
    before = keras.config.dtype_policy()
    keras.config.set_dtype_policy("mixed_bfloat16")
    yield
    keras.config.set_dtype_policy(before)


def take_a_step(name: str) -> None:
    """Train the recipe's model on one batch, and see that its loss is a number and that all of it learns."""
    keras.utils.set_random_seed(3)
    recipe = Recipe("r", "R", "", model=name, size=SIZE, batch=BATCH, optimizer="sgd", learning_rate=0.01)
    model = models.build(recipe, CLASSES)
    model.compile(optimizer=optimizers.optimizer(recipe), loss=optimizers.loss(recipe))
    learning = [layer for layer in model.layers if layer.trainable_weights]
    ends = learning[0], learning[-1]
    before = [layer.get_weights()[0] for layer in ends]
    rng = np.random.default_rng(4)
    images = rng.uniform(0, 255, (BATCH, SIZE, SIZE, 3)).astype(np.float32)
    loss = model.train_on_batch(images, np.eye(CLASSES, dtype=np.float32)[:BATCH])
    assert np.isfinite(loss)
    assert learning[0] in models.backbone_layers(model) and learning[-1].name == "logits"
    for layer, old in zip(ends, before, strict=True):
        new = layer.get_weights()[0]
        assert np.isfinite(new).all() and not np.array_equal(old, new), layer.name


@pytest.mark.parametrize("name", NETWORKS)
def test_a_training_step(name: str) -> None:
    """The loss is a number, and the first layer learns as well as the last."""
    take_a_step(name)


@pytest.mark.parametrize("name", SMALLEST)
@pytest.mark.usefixtures("bfloat16")
def test_a_training_step_in_bfloat16(name: str) -> None:
    """So it is with the smallest network of each family in mixed precision."""
    take_a_step(name)


@pytest.mark.parametrize("name", sorted(PEERS.keys() - CONVNEXTS.keys()))
def test_answers_as_the_peer(name: str) -> None:
    """With the same weights and the peer's own preprocessing the last maps are the same."""
    ours = built(name)
    stir(ours)
    applications.pass_through(ours)
    peer = peer_with_weights_of(ours, name)
    assert ours.get_layer(models.EMBEDDING).input.shape[-1] == peer.output.shape[-1]
    assert difference(ours, peer, name, SIZE) < CLOSE


@pytest.mark.parametrize("name", CONVNEXTS)
def test_convnext_answers_as_the_peer(name: str, tmp_path: Path) -> None:
    """So they are for each ConvNeXt, its weights taken from a file as they are published."""
    peer = PEERS[name](include_top=False, weights=None)
    stir(peer)
    with h5py.File(tmp_path / "notop.h5", "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, peer)
    ours = built(name)
    convnext.load_published(ours, tmp_path / "notop.h5")
    (tmp_path / "notop.h5").unlink()
    found = difference(ours, peer, name, SIZE)
    print(f"{name}: {found:.1e}")
    assert found < CLOSE

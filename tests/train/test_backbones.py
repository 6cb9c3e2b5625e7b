"""The backbones are those of `keras.applications`: their parameters, layers, answers and files."""

import json
import zipfile
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import h5py
import keras
import numpy as np
import pytest
from keras.src.legacy.saving import legacy_h5_format

from bloodapp.errors import InvalidValue
from bloodapp.train import applications, convnext, models
from bloodapp.train.networks import NETWORKS
from tests.backbones import CONVNEXTS, PEERS, built, difference, peer_with_weights_of, stir

SIZE = 64
CLOSE = 1e-4


@contextmanager
def without_values() -> Iterator[None]:
    """Networks built within have no values, and so take neither the memory nor the time of their weights."""
    with keras.StatelessScope(initialize_variables=False):
        yield
    keras.utils.clear_session()  # forgets the weights that were never made


def parameters(layers: list[keras.Layer]) -> int:
    """How many parameters these layers have."""
    return sum(layer.count_params() for layer in layers)


def prepares(layer: keras.Layer) -> bool:
    """Whether a peer's layer is its input or its own preprocessing."""
    kinds = keras.layers.InputLayer, keras.layers.Rescaling, keras.layers.Normalization
    return isinstance(layer, kinds)


def test_every_published_network_has_its_peer() -> None:
    """What the table of networks calls published is what is compared here."""
    assert set(PEERS) == {network.name for network in NETWORKS.values() if network.published}


@pytest.mark.parametrize("name", PEERS)
def test_parameters_and_layers(name: str) -> None:
    """The peer's parameters to the last one, and its layers in its order, so that numbers mean the same layers."""
    with without_values():
        ours = models.backbone_layers(built(name))
        peer = PEERS[name](include_top=False, weights=None)
        assert parameters(ours) == peer.count_params() == NETWORKS[name].parameters
        if name in CONVNEXTS:
            # The peer counts its input and its normalisation too, but its stem and downsamplings by twos.
            assert len(ours) == len(peer.layers) - 2 + 4
            if (
                len(ours) > 200
            ):  # what R4 kept frozen of XLarge and R0 did not of Base; all but Tiny are as deep
                assert parameters(ours[:124]) == parameters(peer.layers[:124])
                assert parameters(ours[-15:]) == parameters(peer.layers[-15:])
        else:
            kept = [type(layer) for layer in ours if not prepares(layer)]
            assert kept == [type(layer) for layer in peer.layers if not prepares(layer)]


def test_answers_as_the_peer() -> None:
    """With the same weights the last maps are the same; `make test-full` compares those of all networks."""
    ours = built("mobilenetv2")
    stir(ours)
    assert difference(ours, peer_with_weights_of(ours, "mobilenetv2"), "mobilenetv2", SIZE) < CLOSE


def test_efficientnetb3_takes_images_as_they_are_scaled() -> None:
    """The preprocessing inside hands on what the model's own gave, whatever weights were loaded into it."""
    ours = built("efficientnetb3")
    first = keras.Model(ours.get_layer("scale").output, ours.get_layer("stem_conv_pad").input)
    stir(first)
    applications.pass_through(ours)
    assert np.array_equal(first(noise(2)), noise(2))


@pytest.fixture
def mini(monkeypatch: pytest.MonkeyPatch) -> Callable[[], keras.Model]:
    """Builds a ConvNeXt of one narrow block a stage."""
    monkeypatch.setitem(convnext.SHAPES, "mini", convnext.Shape((1, 1, 1, 1), (8, 8, 16, 16)))

    def build() -> keras.Model:
        image = keras.Input((None, None, 3))
        model = keras.Model(image, convnext.backbone(image, "mini"), name="mini")
        stir(model)
        return model

    return build


def noise(number: int) -> np.ndarray:
    """So many images, as they come to a backbone."""
    return np.random.default_rng(3).normal(size=(number, 32, 32, 3)).astype(np.float32)


def save_as_published(model: keras.Model, path: Path) -> Path:
    """Write the weights as the files of `keras.applications` have them."""
    with h5py.File(path, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, model)
    return path


def test_convnext_takes_published_weights(tmp_path: Path) -> None:
    """A file of the peer's weights, as they are published, makes ours answer like the peer; its head stays."""
    peer = PEERS["convnexttiny"](include_top=False, weights=None)
    stir(peer)
    ours = built("convnexttiny")
    before = ours.get_layer("logits").get_weights()
    convnext.load_published(ours, save_as_published(peer, tmp_path / "notop.h5"))
    assert difference(ours, peer, "convnexttiny", SIZE) < CLOSE
    assert all(map(np.array_equal, before, ours.get_layer("logits").get_weights()))


def test_weights_of_another_network_are_refused(mini: Callable[[], keras.Model], tmp_path: Path) -> None:
    """A file that does not fit is named, and the model stays as it was."""
    other = keras.Sequential([keras.Input((3,)), keras.layers.Dense(2)])
    ours = mini()
    before = ours.get_weights()
    with pytest.raises(InvalidValue, match=r"other\.h5.*mini"):
        convnext.load_published(ours, save_as_published(other, tmp_path / "other.h5"))
    assert all(map(np.array_equal, before, ours.get_weights()))


def test_a_saved_convnext_loads_anywhere(mini: Callable[[], keras.Model], tmp_path: Path) -> None:
    """It holds layers of Keras alone, so that safe mode needs no module of ours, and answers as before."""
    ours = mini()
    ours.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as archive:
        saved = json.loads(archive.read("config.json"))["config"]["layers"]
    assert {layer["module"].partition(".")[0] for layer in saved} == {"keras"}
    again = keras.models.load_model(tmp_path / "model.keras", safe_mode=True, compile=False)
    assert np.array_equal(ours(noise(2), training=False), again(noise(2), training=False))


def test_training_computes_what_use_computes(mini: Callable[[], keras.Model]) -> None:
    """As in the peer, no branch is left out by chance: frozen, the network gives a head the same features each time."""
    ours = mini()
    assert np.array_equal(ours(noise(8), training=True), ours(noise(8), training=False))

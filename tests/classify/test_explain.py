"""Grad-CAM lights what the class was decided by: known from problems in which somebody planted it."""

import dataclasses
from types import SimpleNamespace

import numpy as np
import pytest

from bloodapp.data.dataset import Dataset
from bloodapp.errors import InvalidValue
from tests.made import give_model, make_run

SIDE, PATCH = 48, 16
COLOURS = np.array([[240, 40, 40], [40, 220, 60], [60, 60, 240]])


def planted(count: int, seed: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Noise with a bright patch at a random place, whose colour is the class: images, labels, (top, left)."""
    rng = np.random.default_rng(seed)
    images = rng.integers(0, 140, (count, SIDE, SIDE, 3)).astype(np.uint8)
    labels = rng.integers(0, 3, count)
    places = rng.integers(0, SIDE - PATCH + 1, (count, 2))
    for image, label, (top, left) in zip(images, labels, places, strict=True):
        image[top : top + PATCH, left : left + PATCH] = COLOURS[label]
    return images, labels, places


@pytest.fixture(scope="module")
def model():
    """A tiny network of ours that has learned the problem, in some seconds."""
    import keras

    from bloodapp.train.models import build
    from bloodapp.train.recipes import recipe_named

    keras.utils.set_random_seed(1)
    network = build(dataclasses.replace(recipe_named("plain"), model="tiny", width=8, size=SIDE), 3)
    images, labels, _ = planted(768, 0)
    network.compile(keras.optimizers.Adam(0.01), "sparse_categorical_crossentropy", metrics=["accuracy"])
    network.fit(images.astype(np.float32), labels, epochs=3, batch_size=64, verbose=0)
    return network


def of(model):
    """An explainer of a network that lies in no run."""
    import threading

    from bloodapp.classify.explain import Explainer

    classes = tuple("c" * count for count in range(1, 1 + model.output_shape[-1]))
    run = SimpleNamespace(name="planted")
    return Explainer(
        SimpleNamespace(
            model=model, size=model.input_shape[1], classes=classes, run=run, lock=threading.Lock()
        )
    )


def pointed(maps: np.ndarray, places: np.ndarray) -> float:
    """The pointing game: how often the highest place of the map, the middle of it at a border, lies in the patch."""
    highest = np.stack([np.argwhere(one > one.max() - 1e-5).mean(0) for one in maps])
    return float(((highest >= places) & (highest < places + PATCH)).all(1).mean())


def inside(maps: np.ndarray, places: np.ndarray) -> float:
    """The mean share of the maps' energy that lies in the patch."""
    shares = [
        one[top : top + PATCH, left : left + PATCH].sum() / max(one.sum(), 1e-9)
        for one, (top, left) in zip(maps, places, strict=True)
    ]
    return float(np.mean(shares))


def test_the_planted_patch_lights_up(model):
    """On images it has not seen the map's highest place is in the patch, and most of its light."""
    images, labels, places = planted(100, 7)
    assert (model(images.astype(np.float32)).numpy().argmax(1) == labels).mean() > 0.95
    explainer = of(model)
    maps = explainer.maps(images, labels)
    assert maps.shape == (100, SIDE, SIDE)
    assert maps.dtype == np.float32
    assert maps.min() >= 0
    np.testing.assert_allclose(maps.max((1, 2)), 1, atol=1e-6)
    assert pointed(maps, places) >= 0.9
    assert inside(maps, places) > 4 * PATCH**2 / SIDE**2
    finer = explainer.maps(images, labels, side=explainer.sides[-2])
    assert not np.allclose(finer, maps)


def test_several_networks_in_one_are_averaged(model, tmp_path):
    """Folds' maps are the mean of each one's own, and light the patch too."""
    from bloodapp.train.ensemble import ensemble

    model.save(tmp_path / "one.keras")
    import keras

    second = keras.models.clone_model(model)
    second.set_weights(model.get_weights())
    second.get_layer("logits").set_weights([-w for w in model.get_layer("logits").get_weights()])
    second.save(tmp_path / "two.keras")
    images, labels, _ = planted(5, 8)
    both = of(ensemble([tmp_path / "one.keras", tmp_path / "two.keras"], "mean"))
    expected = (of(model).maps(images, labels) + of(second).maps(images, labels)) / 2
    np.testing.assert_allclose(both.maps(images, labels), expected, atol=1e-4)


def test_a_network_that_answers_to_all_views_is_asked_about_the_image_as_it_is(model, tmp_path):
    """Its layers look at eight views; the map is that of the image, as the network alone gives it."""
    import keras

    from bloodapp.train.ensemble import ensemble

    model.save(tmp_path / "one.keras")
    ensemble([tmp_path / "one.keras"], "mean", flips=True).save(tmp_path / "turned.keras")
    turned = keras.models.load_model(tmp_path / "turned.keras", compile=False, safe_mode=True)
    images, labels, _ = planted(4, 11)
    np.testing.assert_allclose(of(turned).maps(images, labels), of(model).maps(images, labels), atol=1e-4)


def test_any_number_of_images_is_traced_twice_at_most(model):
    """Two batch shapes serve all sizes, and padding changes no map."""
    images, labels, _ = planted(20, 9)
    explainer = of(model)
    maps = explainer.maps(images, labels)
    for count in (1, 2, 3, 17):
        np.testing.assert_allclose(explainer.maps(images[:count], labels[:count]), maps[:count], atol=1e-4)
    (traced,) = explainer._traced.values()
    assert traced.experimental_get_tracing_count() == 2
    assert explainer.maps(images[:0], labels[:0]).shape == (0, SIDE, SIDE)


def test_what_does_not_fit_is_refused(model):
    """Other shapes, other types and classes that are none are sentences."""
    images, labels, _ = planted(2, 10)
    explainer = of(model)
    with pytest.raises(InvalidValue, match="uint8"):
        explainer.maps(images.astype(np.float32), labels)
    with pytest.raises(InvalidValue, match="48"):
        explainer.maps(images[:, :20], labels)
    with pytest.raises(InvalidValue, match="3 classes"):
        explainer.maps(images, [0, 3])


def test_a_network_without_a_map_says_so():
    """Dense layers alone have no places."""
    import keras

    flat = keras.Sequential([keras.Input((8, 8, 3)), keras.layers.Flatten(), keras.layers.Dense(2)])
    with pytest.raises(InvalidValue, match="hide parts"):
        of(flat)


def test_a_run_whose_layers_have_other_names(tiny: Dataset) -> None:
    """Without a layer `logits` the scores ahead of the softmax are taken."""
    from bloodapp.classify.explain import Explainer
    from bloodapp.classify.predictor import Predictor

    run = make_run(tiny)
    give_model(run)
    explainer = Explainer(Predictor(run))
    maps = explainer.maps(np.asarray(tiny.images[:8]), tiny.labels[:8])
    assert maps.shape == (8, 96, 96)
    assert maps.any()
    assert explainer.sides == (23,)


@pytest.mark.parametrize(
    ("network", "scaling", "sides"),
    [
        ("mobilenetv3light", "symmetric", (48, 24, 12, 6)),
        ("efficientnetv2b0", "imagenet", (48, 24, 12, 6, 3)),
        ("r1cnn3", "unit", (94, 47, 45, 22, 20, 10)),
    ],
)
def test_every_family_has_its_maps(network, scaling, sides):
    """The end of each resolution, the last one by default."""
    import keras

    from bloodapp.train.models import build
    from bloodapp.train.recipe import Recipe

    with keras.StatelessScope(initialize_variables=False):  # without values it takes no time
        explainer = of(build(Recipe("r", "R", "", model=network, scaling=scaling), 8))
    keras.utils.clear_session()
    assert explainer.sides == sides


@pytest.mark.parametrize(
    ("network", "scaling", "sides"),
    [("convnextatto", "imagenet", (24, 12, 6, 3)), ("resnet9", "own", (48, 24, 12, 6))],
)
def test_an_earlier_map_can_be_asked_for(network, scaling, sides):
    """A freshly built network is asked at another map than its last."""
    import keras

    from bloodapp.train.models import build
    from bloodapp.train.recipe import Recipe

    keras.utils.set_random_seed(2)
    explainer = of(build(Recipe("r", "R", "", model=network, scaling=scaling, width=8), 8))
    assert explainer.sides == sides
    images = np.random.default_rng(0).integers(0, 256, (2, 96, 96, 3)).astype(np.uint8)
    assert explainer.maps(images, [0, 1], side=sides[-2]).shape == (2, 96, 96)


def test_where_a_place_of_the_map_looks_is_measured():
    """Three strided convolutions that pad below look 3.5 pixels further down than an even grid; tiles look straight."""
    import keras
    from keras import layers

    from bloodapp.classify.explain import _offset

    image = keras.Input((64, 64, 3))
    x = image
    for _ in range(3):
        x = layers.Conv2D(1, 3, strides=2, padding="same", kernel_initializer="ones")(x)
    np.testing.assert_allclose(_offset(keras.Model(image, x), x, 64), 3.5, atol=0.3)
    tiles = layers.Conv2D(1, 8, strides=8, kernel_initializer="ones")(image)
    np.testing.assert_allclose(_offset(keras.Model(image, tiles), tiles, 64), 0, atol=0.3)

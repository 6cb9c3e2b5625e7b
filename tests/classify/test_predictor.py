"""The predictor answers what Keras answers, from any batch and any thread, and refuses what does not fit."""

from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest

from bloodapp.errors import InvalidValue, NotFound, Unreadable
from tests.made import give_model, make_run


@pytest.fixture
def run(tiny):
    """A finished run with a small model."""
    made = make_run(tiny)
    give_model(made)
    return made


@pytest.fixture
def predictor(run):
    """Its predictor."""
    from bloodapp.classify.predictor import Predictor

    return Predictor(run)


@pytest.mark.parametrize("count", [1, 8, 9, 48])
def test_probabilities_are_those_of_the_model(run, predictor, tiny, count):
    """Padding to fixed batches changes no answer."""
    import keras

    images = np.asarray(tiny.images[:count])
    expected = keras.models.load_model(run.model_path)(images.astype(np.float32), training=False)
    got = predictor.predict(images)
    assert got.dtype == np.float32
    np.testing.assert_allclose(got, expected, atol=1e-5)
    np.testing.assert_allclose(got.sum(1), 1, atol=1e-5)


def test_no_images_give_an_empty_table(predictor):
    """Nothing in, (0, C) out."""
    assert predictor.predict(np.zeros((0, 96, 96, 3), np.uint8)).shape == (0, 8)


def test_features_come_from_the_embedding(run, predictor, tiny):
    """Features are the output of the layer `embedding`, one row an image."""
    import keras

    model = keras.models.load_model(run.model_path)
    inner = keras.Model(model.input, model.get_layer("embedding").output)
    got = predictor.features(np.asarray(tiny.images[:10]))
    np.testing.assert_allclose(got, inner(np.asarray(tiny.images[:10], np.float32)), atol=1e-5)


def test_any_number_of_images_is_traced_twice_at_most(predictor, tiny):
    """Two batch shapes serve all sizes: no retracing while somebody waits."""
    images = np.asarray(tiny.images)
    for count in (1, 3, 8, 9, 20, 48):
        predictor.predict(images[:count])
    assert predictor._answers["probabilities"].experimental_get_tracing_count() == 2


def test_several_threads_may_ask(predictor, tiny):
    """Answers given to many threads at once are those given to one."""
    images = np.asarray(tiny.images)
    expected = predictor.predict(images)
    with ThreadPoolExecutor(4) as pool:
        for got in pool.map(lambda _: predictor.predict(images), range(12)):
            np.testing.assert_array_equal(got, expected)


def test_other_shapes_are_refused(predictor):
    """Images of another size or type are refused in a sentence that names what is taken."""
    with pytest.raises(InvalidValue, match=r"\(N, 96, 96, 3\)"):
        predictor.predict(np.zeros((1, 64, 64, 3), np.uint8))
    with pytest.raises(InvalidValue, match="uint8"):
        predictor.predict(np.zeros((1, 96, 96, 3), np.float32))


def test_a_run_without_a_model_is_named(tiny):
    """Before training has ended there is no model to ask."""
    from bloodapp.classify.predictor import Predictor

    with pytest.raises(NotFound, match="made"):
        Predictor(make_run(tiny, state="running"))


def test_a_damaged_model_is_named(run):
    """A cut file is a sentence, not a traceback."""
    from bloodapp.classify.predictor import Predictor

    run.model_path.write_bytes(run.model_path.read_bytes()[:500])
    with pytest.raises(Unreadable, match="made"):
        Predictor(run)


def test_a_model_of_other_classes_is_refused(tiny):
    """A model whose outputs do not fit the run's class list is not asked."""
    from bloodapp.classify.predictor import Predictor

    run = make_run(tiny, "fewer")
    give_model(run)
    run.config["classes"] = run.config["classes"][:5]
    with pytest.raises(Unreadable, match="tells 8 classes apart"):
        Predictor(run)


@pytest.mark.parametrize("network", ["resnet9", "tiny"])
def test_stages_are_the_averages_of_every_depth(tiny, network):
    """Each resolution's last layer, pooled, first to last; the features are the last columns."""
    import dataclasses

    import keras

    from bloodapp.classify.predictor import Predictor
    from bloodapp.train.models import build
    from bloodapp.train.recipes import recipe_named

    made = make_run(tiny, network)
    keras.utils.set_random_seed(5)
    model = build(dataclasses.replace(recipe_named("plain"), model=network, width=8), 8)
    model.save(made.model_path)
    predictor = Predictor(made)
    images = np.asarray(tiny.images[:10])
    stages, features = predictor.stages(images), predictor.features(images)
    assert stages.dtype == np.float32
    shapes = [layer.output.shape for layer in model.layers if len(layer.output.shape) == 4]
    last = {shape[1]: shape[3] for shape in shapes if shape[3] != 3}
    assert len(last) >= 3
    assert stages.shape == (10, sum(last.values()))
    np.testing.assert_allclose(stages[:, -features.shape[1] :], features, atol=1e-5)
    np.testing.assert_array_equal(predictor.stages(images), stages)


@pytest.mark.parametrize(
    ("network", "scaling", "expected"),
    [
        ("vgg16", "caffe", [(96, 64), (48, 128), (24, 256), (12, 512), (6, 512), (3, 512)]),
        ("resnet50", "caffe", [(48, 64), (24, 256), (12, 512), (6, 1024), (3, 2048)]),
        ("mobilenetv2", "symmetric", [(48, 96), (24, 144), (12, 192), (6, 576), (3, 1280)]),
        ("efficientnetv2b0", "imagenet", [(48, 16), (24, 32), (12, 192), (6, 672), (3, 1280)]),
        ("convnexttiny", "imagenet", [(24, 96), (12, 192), (6, 384), (3, 768)]),
        ("mobilenetv3light", "symmetric", [(48, 16), (24, 72), (12, 96), (6, 1280)]),
    ],
)
def test_every_family_has_its_stages(network, scaling, expected):
    """The end of each resolution: no border that was only padded, and no squeeze-and-excite."""
    import keras

    from bloodapp.classify.predictor import last_of_each_size
    from bloodapp.train.models import build
    from bloodapp.train.recipe import Recipe

    with keras.StatelessScope(initialize_variables=False):  # without values it takes no time
        model = build(Recipe("r", "R", "", model=network, scaling=scaling), 8)
        stages = last_of_each_size(model)
    keras.utils.clear_session()
    assert [(stage.shape[1], stage.shape[3]) for stage in stages] == expected


def test_stages_do_not_depend_on_the_batch(predictor, tiny):
    """Batches of any size give the same rows, and a darker picture gives others."""
    images = np.asarray(tiny.images[:12])
    stages = predictor.stages(images)
    np.testing.assert_allclose(predictor.stages(images[:3]), stages[:3], atol=1e-5)
    assert predictor.stages(images[:0]).shape == (0, stages.shape[1])
    assert np.abs(predictor.stages(images // 2) - stages).max() > 0.01

"""A recipe's network, whole: its size, its scaling, its head, its precision, and that it is the same after a file."""

import json
import zipfile
from collections.abc import Callable, Iterator
from dataclasses import replace
from pathlib import Path

import keras
import numpy as np
import pytest

from bloodapp.train import devices, mobilenetv3, models
from bloodapp.train.networks import NETWORKS, SCALINGS, smallest_of_family
from bloodapp.train.recipe import Recipe
from bloodapp.train.recipes import RECIPES

TINY = Recipe("r", "R", "", model="tiny", width=4, size=32, head="")
PIXEL = (255.0, 0.0, 128.0)


@pytest.fixture
def policy() -> Iterator[Callable[[str], None]]:
    """Sets the global precision; float32 again afterwards."""
    yield keras.mixed_precision.set_global_policy
    keras.mixed_precision.set_global_policy("float32")


@pytest.fixture
def without_values() -> Iterator[None]:
    """Networks have no values, and so take neither the memory nor the time of their weights."""
    with keras.StatelessScope(initialize_variables=False):
        yield
    keras.utils.clear_session()


def scaled(model: keras.Model, pixel: tuple[float, float, float]) -> np.ndarray:
    """What reaches the backbone of a picture of one colour."""
    given = keras.Model(model.input, models.backbone_layers(model)[0].input)
    picture = np.full((1, *model.input_shape[1:]), pixel, np.float32)
    reached = np.asarray(given(picture))
    assert reached.dtype == np.float32 and (reached == reached[0, 0, 0]).all()
    return reached[0, 0, 0]


@pytest.mark.usefixtures("without_values")
@pytest.mark.parametrize(
    ("recipe", "reported"),
    [("r2basic", 314_000), ("r2light", 1_700_000), ("r2heavy", 42_300_000)],
)
def test_own_networks_are_as_large_as_reported(recipe: str, reported: int) -> None:
    """R2 gave the parameters of its networks and no layers: ours are within three in a hundred."""
    model = models.build(RECIPES[recipe], 8)
    assert abs(model.count_params() / reported - 1) < 0.03
    assert model.count_params() == NETWORKS[model.name].parameters


@pytest.mark.usefixtures("without_values")
@pytest.mark.parametrize(
    ("recipe", "maps", "parameters"),
    [
        ("r1cnn", [32, 64, 128], 195_656),
        ("r1cnn4", [32, 64, 128, 128], 257_224),
        ("r4base", [32, 64], 3_985_480),
    ],
)
def test_cnns_from_scratch_are_as_described(recipe: str, maps: list[int], parameters: int) -> None:
    """3 × 3 convolutions without borders of these channels, each followed by ReLU and pooling, then flattened."""
    model = models.build(RECIPES[recipe], 8)
    layers = models.backbone_layers(model)
    convolutions = [layer for layer in layers if isinstance(layer, keras.layers.Conv2D)]
    assert [layer.filters for layer in convolutions] == maps
    assert all((layer.kernel_size, layer.padding) == ((3, 3), "valid") for layer in convolutions)
    assert [type(layer).__name__ for layer in layers] == ["Conv2D", "MaxPooling2D"] * len(maps)
    assert isinstance(model.get_layer(models.EMBEDDING), keras.layers.Flatten)
    assert model.count_params() == parameters == NETWORKS[model.name].parameters


@pytest.mark.usefixtures("without_values")
def test_mobilenetv3_has_what_its_paper_describes() -> None:
    """Eleven or fifteen depthwise blocks, squeeze-and-excite with a hard sigmoid, hard-swish; a map, not a point."""
    for name, blocks, squeezed, last in (("mobilenetv3light", 11, 9, 6), ("mobilenetv3heavy", 15, 8, 3)):
        model = models.build(replace(RECIPES["r2light"], model=name), 8)
        layers = models.backbone_layers(model)
        assert sum(isinstance(layer, keras.layers.DepthwiseConv2D) for layer in layers) == blocks
        excite = [layer for layer in layers if layer.name.endswith("_excite")]
        assert len(excite) == squeezed
        assert {layer.activation for layer in excite} == {keras.activations.hard_sigmoid}
        norms = [layer for layer in layers if isinstance(layer, keras.layers.BatchNormalization)]
        assert {layer.momentum for layer in norms} == {mobilenetv3.MOMENTUM}
        assert layers[-1].activation is keras.activations.hard_silu
        assert layers[-1].output.shape[1:3] == (last, last)


@pytest.mark.usefixtures("without_values")
@pytest.mark.parametrize("family", sorted({network.family for network in NETWORKS.values()}))
def test_depthwise_networks_are_known(family: str) -> None:
    """The table says of which networks the precision must know: those in which Keras' depthwise layers stand."""
    name = next(name for name, network in NETWORKS.items() if network.family == family)
    layers = models.backbone_layers(models.build(replace(RECIPES["r2light"], model=name), 8))
    assert (
        any(isinstance(layer, keras.layers.DepthwiseConv2D) for layer in layers) is NETWORKS[name].depthwise
    )


@pytest.mark.parametrize(
    ("flags", "model", "expected"),
    [
        ("avx512_bf16", "r1cnn3", "mixed_bfloat16"),
        ("avx512_bf16", "mobilenetv3light", "float32"),
        ("avx2", "r1cnn3", "float32"),
    ],
)
def test_precision_is_lower_only_where_it_is_faster(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch, flags: str, model: str, expected: str
) -> None:
    """On a CPU with bfloat16, plain convolutions use it and depthwise ones do not; a recipe's own word counts."""
    (tmp_path / "cpuinfo").write_text(f"flags: sse {flags}")
    monkeypatch.setattr(devices, "_CPU_FLAGS", tmp_path / "cpuinfo")
    monkeypatch.setattr(devices.tf.config, "get_visible_devices", lambda kind: [])
    assert devices.precision(replace(TINY, model=model)) == expected
    assert devices.precision(replace(TINY, model=model, precision="bfloat16")) == "mixed_bfloat16"


def test_a_trial_takes_the_smallest_of_a_family() -> None:
    """Which is the one with the fewest parameters."""
    for larger, smaller in (
        ("r1cnn4", "r1cnn3"),
        ("mobilenetv3heavy", "mobilenetv3light"),
        ("vgg19", "vgg16"),
    ):
        assert smallest_of_family(larger) == smallest_of_family(smaller) == smaller


@pytest.mark.parametrize(
    ("scaling", "expected"),
    [
        ("bytes", PIXEL),
        ("unit", (1, 0, 128 / 255)),
        ("symmetric", (1, -1, 128 / 127.5 - 1)),
        ("signed", (127 / 128, -1, 0)),
        ("caffe", (128 - 103.939, -116.779, 255 - 123.68)),
        ("imagenet", (0.515 / 0.229, -0.456 / 0.224, (128 / 255 - 0.406) / 0.225)),
    ],
)
def test_scaling_is_inside_and_in_float32(
    policy: Callable[[str], None], scaling: str, expected: tuple[float, float, float]
) -> None:
    """A known pixel becomes what it must, in float32 whatever the precision; and as keras.applications has it."""
    policy("mixed_bfloat16")
    reached = scaled(models.build(replace(TINY, scaling=scaling), 8), PIXEL)
    np.testing.assert_allclose(reached, expected, atol=2e-6, rtol=1e-6)
    mode = {"caffe": "caffe", "imagenet": "torch", "symmetric": "tf"}.get(scaling)
    if mode:
        theirs = keras.applications.imagenet_utils.preprocess_input(np.full((1, 1, 1, 3), PIXEL), mode=mode)
        np.testing.assert_allclose(reached, np.asarray(theirs)[0, 0, 0], atol=1e-4)


def test_own_scaling_is_the_networks() -> None:
    """`own` means what the table of networks says, one of the others."""
    assert all(network.scaling in set(SCALINGS) - {"own"} for network in NETWORKS.values())
    own, other = (
        scaled(models.build(replace(TINY, scaling=each), 8), PIXEL) for each in ("own", "symmetric")
    )
    np.testing.assert_array_equal(own, other)


def test_a_head_is_built_as_declared() -> None:
    """Each step is a layer with its units, activation, start and penalty; the last names the classes."""
    dense_step, output_step = "dense(6, relu, he_uniform, l1=1e-2, l2=1e-3)", "output(he_normal, l2=0.1)"
    head = f"dropout(0.5)|{dense_step}|batchnorm|activation(gelu)|{output_step}"
    model = models.build(replace(TINY, head=head, seed=7), 5)
    after = model.layers[[layer.name for layer in model.layers].index(models.EMBEDDING) + 1 :]
    assert [layer.name for layer in after] == [
        "head_0_dropout",
        "head_1_dense",
        "head_2_batchnorm",
        "head_3_activation",
        "logits",
        "probabilities",
    ]
    dropout, dense, _, activation, logits, _ = after
    assert (dropout.rate, dropout.seed, dense.units, logits.units) == (0.5, 7, 6, 5)
    assert dense.activation is keras.activations.relu and activation.activation is keras.activations.gelu
    assert isinstance(dense.kernel_initializer, keras.initializers.HeUniform)
    assert isinstance(logits.kernel_initializer, keras.initializers.HeNormal)
    weights, last = np.asarray(dense.kernel), np.asarray(logits.kernel)
    penalty = 0.01 * np.abs(weights).sum() + 0.001 * (weights**2).sum() + 0.1 * (last**2).sum()
    assert float(sum(model.losses)) == pytest.approx(penalty, rel=1e-5)


@pytest.mark.parametrize("pooling", ["average", "max", "flatten"])
def test_pooling_makes_one_row(pooling: str) -> None:
    """The embedding is the average, the largest or all of the last map, and the answer a share of each class."""
    model = models.build(replace(TINY, pooling=pooling), 5)
    images = np.random.default_rng(0).uniform(0, 255, (3, 32, 32, 3)).astype(np.float32)
    embedding = model.get_layer(models.EMBEDDING)
    last, row, answer = map(
        np.asarray, keras.Model(model.input, [embedding.input, embedding.output, model.output])(images)
    )
    pooled = {"average": last.mean((1, 2)), "max": last.max((1, 2)), "flatten": last.reshape(3, -1)}[pooling]
    np.testing.assert_allclose(row, pooled, atol=1e-5)
    assert answer.shape == (3, 5) and answer.dtype == np.float32
    np.testing.assert_allclose(answer.sum(1), 1, atol=1e-5)


def test_mixed_precision_is_the_backbones_alone(policy: Callable[[str], None]) -> None:
    """The convolutions compute in 16 bits; scaling, pooling, head and answer in 32; all weights are kept in 32."""
    policy("mixed_float16")
    recipe = replace(TINY, head="dense(6)|batchnorm|dropout(0.1)", resize=48, scaling="caffe")
    model = models.build(recipe, 8)
    assert {layer.compute_dtype for layer in models.backbone_layers(model)} == {"float16"}
    names = (
        "resize",
        "scale",
        models.EMBEDDING,
        "head_0_dense",
        "head_1_batchnorm",
        "logits",
        "probabilities",
    )
    assert {model.get_layer(name).compute_dtype for name in names} == {"float32"}
    assert {weight.dtype for weight in model.weights if weight.name != "seed_generator_state"} == {"float32"}


@pytest.mark.parametrize(
    "recipe",
    [
        replace(
            TINY,
            scaling="caffe",
            resize=48,
            head="dense(6, relu, l1=1e-3)|batchnorm|output(l2=1e-3)",
        ),
        replace(TINY, scaling="imagenet", pooling="flatten"),
        replace(TINY, model="mobilenetv3light", width=32),
    ],
    ids=["caffe", "imagenet", "mobilenetv3"],
)
def test_a_file_holds_all_of_it_and_nothing_of_ours(tmp_path: Path, recipe: Recipe) -> None:
    """A saved model opens in safe mode, names Keras' own layers alone, and answers the same."""
    model = models.build(recipe, 8, seen=40)
    model.save(tmp_path / "model.keras")
    with zipfile.ZipFile(tmp_path / "model.keras") as file:
        config = json.loads(file.read("config.json"))
    assert {module.split(".")[0] for module in modules(config)} == {"keras"}
    again = keras.models.load_model(tmp_path / "model.keras", compile=False, safe_mode=True)
    images = np.random.default_rng(0).uniform(0, 255, (2, 32, 32, 3)).astype(np.float32)
    np.testing.assert_array_equal(again(images), model(images))
    names = [[layer.name for layer in models.backbone_layers(each)] for each in (again, model)]
    assert names[0] == names[1] and names[0][0] not in ("image", "seen", "resize", "scale")


def modules(config: object) -> Iterator[str]:
    """Every module that a saved configuration asks for."""
    if isinstance(config, dict):
        if isinstance(config.get("module"), str):
            yield config["module"]
        for value in config.values():
            yield from modules(value)
    elif isinstance(config, list):
        for value in config:
            yield from modules(value)


def test_one_network_takes_images_of_any_size() -> None:
    """The same weights answer for smaller and larger images; flattened, a network is for one size."""
    free, fixed = (models.build(TINY, 8, any_size=each) for each in (True, False))
    assert [weight.shape for weight in free.weights] == [weight.shape for weight in fixed.weights]
    for side in (32, 57):
        assert free(np.zeros((1, side, side, 3), np.float32)).shape == (1, 8)
    flat = models.build(replace(TINY, pooling="flatten"), 8, any_size=True)
    assert flat.input_shape == fixed.input_shape == (None, 32, 32, 3)


def test_images_are_seen_at_the_side_that_was_learned() -> None:
    """A model trained on smaller images makes its images as small by itself."""
    model = models.build(TINY, 8, seen=24)
    assert model.input_shape[1:3] == (32, 32)
    assert models.backbone_layers(model)[0].input.shape[1:3] == (24, 24)

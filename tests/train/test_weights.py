"""What a network starts from: published weights from a real server, files, runs; and what is said when it cannot."""

import hashlib
import os
import threading
import time
from collections.abc import Callable, Iterator
from contextlib import suppress
from dataclasses import replace
from functools import partial
from http.server import SimpleHTTPRequestHandler, ThreadingHTTPServer
from pathlib import Path
from typing import Any

import h5py
import keras
import numpy as np
import pytest
from keras.src.applications import (
    convnext,
    efficientnet,
    efficientnet_v2,
    inception_v3,
    mobilenet_v2,
    resnet,
    vgg16,
    vgg19,
)
from keras.src.legacy.saving import legacy_h5_format

from bloodapp.classes import DEFAULT_CLASSES
from bloodapp.data.dataset import Dataset
from bloodapp.errors import BloodappError, InvalidValue, NotFound, SourceError, Stopped
from bloodapp.runs.run import Run
from bloodapp.train import models, published, start, weights
from bloodapp.train.networks import NETWORKS
from bloodapp.train.published import Published
from bloodapp.train.recipe import Recipe
from bloodapp.train.settings import settings
from tests.made import make_run

SMALL = Recipe("r", "R", "", model="tiny", width=4, size=32, weights="none", head="dropout(0.2)")
MOBILE = Recipe("r", "R", "", model="mobilenetv2", size=96, weights="imagenet")
ADDRESS = "mobilenet_v2/mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_96_no_top.h5"


class Mirror(SimpleHTTPRequestHandler):
    """Serves a folder without a word; a path with `short` in it breaks off halfway."""

    def log_message(self, *_: Any) -> None:
        """Nothing."""

    def copyfile(self, source: Any, outputfile: Any) -> None:
        """The file, or half of it."""
        content = source.read()
        with suppress(ConnectionError):  # who asked has hung up
            outputfile.write(content[: len(content) // 2] if self.server.short else content)  # type: ignore[attr-defined]


@pytest.fixture(scope="module")
def network() -> keras.Model:
    """The MobileNetV2 of keras.applications with random weights."""
    network = keras.applications.MobileNetV2(include_top=False, weights=None, input_shape=(96, 96, 3))
    # As it leaves Keras, normalisation is all ones and zeros: nothing would tell one layer from another.
    rng = np.random.default_rng(1)
    network.set_weights([rng.uniform(0.1, 1, weight.shape) for weight in network.weights])
    return network


@pytest.fixture(scope="module")
def files(tmp_path_factory: pytest.TempPathFactory, network: keras.Model) -> Path:
    """A folder laid out as Google's, with that network's weights in the form of keras.applications."""
    folder = tmp_path_factory.mktemp("mirror")
    (folder / ADDRESS).parent.mkdir()
    with h5py.File(folder / ADDRESS, "w") as file:
        legacy_h5_format.save_weights_to_hdf5_group(file, network)
    return folder


@pytest.fixture
def mirror(files: Path, monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> Iterator[ThreadingHTTPServer]:
    """A server of these files, which the downloads ask, with their true hash known and nothing fetched before."""
    server = ThreadingHTTPServer(("127.0.0.1", 0), partial(Mirror, directory=str(files)))
    server.short = False  # type: ignore[attr-defined]
    thread = threading.Thread(target=server.serve_forever, args=(0.01,))
    thread.start()
    monkeypatch.setenv("BLOODAPP_WEIGHTS_URL", f"http://127.0.0.1:{server.server_port}/")
    monkeypatch.setenv("KERAS_HOME", str(tmp_path / "keras"))
    digest = hashlib.md5((files / ADDRESS).read_bytes()).hexdigest()
    monkeypatch.setitem(published.FILES, "mobilenetv2", Published(ADDRESS, digest))
    yield server
    server.shutdown()
    server.server_close()
    thread.join()


def left_behind(tmp_path: Path) -> list[str]:
    """All files in the folder of published weights, hidden ones too."""
    return [path.name for path in (tmp_path / "keras").rglob("*") if path.is_file()]


def values(layers: list[keras.Layer]) -> list[np.ndarray]:
    """All weights of these layers, in order."""
    return [value for layer in layers for value in layer.get_weights()]


def equal(ours: list[np.ndarray], theirs: list[np.ndarray]) -> bool:
    """Whether two lists of arrays are the same to the last bit."""
    return len(ours) == len(theirs) and all(map(np.array_equal, ours, theirs))


def stirred(recipe: Recipe, classes: int = 8) -> keras.Model:
    """A model of the recipe in which no two layers hold the same."""
    model = models.build(recipe, classes)
    rng = np.random.default_rng(3)
    model.set_weights([rng.uniform(0.1, 1, weight.shape) for weight in model.weights])
    return model


def test_published_weights_are_fetched_once_and_loaded(
    mirror: ThreadingHTTPServer, files: Path, network: keras.Model, tmp_path: Path
) -> None:
    """All of the file arrives in the backbone, progress ends at its size, and a second start asks no server."""
    told: list[tuple[int, int, str]] = []
    model = models.build(MOBILE, 8)
    said = weights.load(model, MOBILE, lambda *step: told.append(step))
    assert said == "The backbone begins with the ImageNet weights of MobileNetV2."
    assert equal(values(models.backbone_layers(model)), values(network.layers))
    size = (files / ADDRESS).stat().st_size
    assert [step[0] for step in told] == sorted({step[0] for step in told}) and len(told) > 10
    assert told[-1] == (size, size, "Fetching the ImageNet weights of MobileNetV2")
    mirror.shutdown()
    told.clear()
    assert published.fetch(MOBILE, lambda *step: told.append(step)) == published.file_for(MOBILE).path
    assert not told and left_behind(tmp_path) == [Path(ADDRESS).name]


def test_a_file_without_a_known_hash_is_opened_before_it_counts(
    mirror: ThreadingHTTPServer, files: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Put there by hand and cut short it is fetched anew; whole, no server is asked."""
    monkeypatch.setitem(published.FILES, "mobilenetv2", Published(ADDRESS, ""))
    path, whole = published.file_for(MOBILE).path, (files / ADDRESS).read_bytes()
    path.parent.mkdir(parents=True)
    path.write_bytes(whole[:-1000])
    assert published.fetch(MOBILE) == path and path.read_bytes() == whole
    monkeypatch.setenv("BLOODAPP_WEIGHTS_URL", "http://127.0.0.1:9")
    assert published.fetch(MOBILE) == path


@pytest.mark.parametrize(
    ("broken", "why"),
    [
        ("hash", "what came is not the published file"),
        ("missing", "the server answers 404"),
        ("short", "it broke off after"),
        ("refused", "Connection refused"),
        ("nowhere", "unknown url type"),
    ],
)
def test_what_cannot_be_fetched_is_told_and_leaves_nothing(
    mirror: ThreadingHTTPServer, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, broken: str, why: str
) -> None:
    """One sentence on what was tried and why it failed, one on the ways out; no file, whole or half."""
    if broken == "hash":
        monkeypatch.setitem(published.FILES, "mobilenetv2", Published(ADDRESS, "0" * 32))
    elif broken == "missing":
        monkeypatch.setitem(published.FILES, "mobilenetv2", Published("none.h5", ""))
    elif broken == "short":
        mirror.short = True  # type: ignore[attr-defined]
    elif broken == "refused":
        monkeypatch.setenv("BLOODAPP_WEIGHTS_URL", "http://127.0.0.1:9")
    else:
        monkeypatch.setenv("BLOODAPP_WEIGHTS_URL", "my mirror")
    with pytest.raises(SourceError, match=why) as caught:
        published.fetch(MOBILE)
    said = str(caught.value)
    assert "\n" not in said and published.file_for(MOBILE).url in said
    assert str(published.file_for(MOBILE).path) in said and "run:NAME" in said
    assert left_behind(tmp_path) == []


def test_a_stop_breaks_the_download_off(mirror: ThreadingHTTPServer, tmp_path: Path) -> None:
    """What the progress raises goes through, and nothing half stays."""

    def stop(*_: object) -> None:
        raise Stopped("Stopped.")

    with pytest.raises(Stopped):
        published.fetch(MOBILE, stop)
    assert left_behind(tmp_path) == []


def test_a_damaged_file_is_fetched_again(mirror: ThreadingHTTPServer, files: Path) -> None:
    """A file in the folder that is not the published one is replaced."""
    path = published.file_for(MOBILE).path
    path.parent.mkdir(parents=True)
    path.write_bytes(b"half a file")
    assert published.fetch(MOBILE).read_bytes() == (files / ADDRESS).read_bytes()


def test_what_a_killed_download_left_goes_with_the_next(
    mirror: ThreadingHTTPServer, files: Path, tmp_path: Path
) -> None:
    """Nothing was written to it for an hour; a download that is at work beside this one is let alone."""
    path = published.file_for(MOBILE).path
    path.parent.mkdir(parents=True)
    for name, age in (("dead", 4000), ("alive", 10)):
        part = path.with_name(f".{path.name}-{name}.h5")
        part.write_bytes(b"half a file")
        os.utime(part, (time.time() - age,) * 2)
    published.fetch(MOBILE)
    assert sorted(left_behind(tmp_path)) == [f".{path.name}-alive.h5", path.name]


def test_addresses_and_hashes_are_those_of_keras(monkeypatch: pytest.MonkeyPatch) -> None:
    """The table says what the installed keras.applications fetches for its networks without a head."""
    monkeypatch.delenv("BLOODAPP_WEIGHTS_URL", raising=False)
    url = {name: file.url for name, file in published.FILES.items()}
    digest = {name: file.digest for name, file in published.FILES.items()}
    for name, module in {"vgg16": vgg16, "vgg19": vgg19, "inceptionv3": inception_v3}.items():
        assert url[name] == module.WEIGHTS_PATH_NO_TOP
        assert digest[name] in Path(module.__file__).read_text()
    known: dict[str, tuple[str, str, Any]] = {
        "resnet50": ("resnet50", "resnet50_weights_tf_dim_ordering_tf_kernels_notop.h5", resnet),
        "resnet50v2": ("resnet50v2", "resnet50v2_weights_tf_dim_ordering_tf_kernels_notop.h5", resnet),
        "resnet101v2": ("resnet101v2", "resnet101v2_weights_tf_dim_ordering_tf_kernels_notop.h5", resnet),
        "efficientnetb3": ("b3", "efficientnetb3_notop.h5", efficientnet),
        "efficientnetv2b0": ("b0", "efficientnetv2-b0_notop.h5", efficientnet_v2),
        "efficientnetv2s": ("-s", "efficientnetv2-s_notop.h5", efficientnet_v2),
        **{
            f"convnext{size}": (f"convnext_{size}", f"convnext_{size}_notop.h5", convnext)
            for size in ("tiny", "small", "base", "large", "xlarge")
        },
    }
    for name, (key, file, module) in known.items():
        base = module.BASE_WEIGHTS_PATH
        assert url[name] == base + file and digest[name] == module.WEIGHTS_HASHES[key][1]
    sides = {side: published.file_for(replace(MOBILE, size=side)).url for side in (96, 100, 224)}
    for side, asked in {96: 96, 100: 224, 224: 224}.items():
        file = f"mobilenet_v2_weights_tf_dim_ordering_tf_kernels_1.0_{asked}_no_top.h5"
        assert sides[side] == mobilenet_v2.BASE_WEIGHT_PATH + file
    assert published.FILES.keys() == {name for name, one in NETWORKS.items() if one.published}


@pytest.mark.parametrize("suffix", [".keras", ".weights.h5"])
@pytest.mark.parametrize(
    ("head", "classes", "with_head"),
    [("dropout(0.2)", 8, True), ("dropout(0.2)", 5, False), ("dense(6, relu)|batchnorm", 8, False)],
)
def test_a_file_gives_its_backbone_and_its_head_where_it_fits(
    tmp_path: Path, suffix: str, head: str, classes: int, with_head: bool
) -> None:
    """The head is taken where all its shapes fit and is left as it was, to the last bit, where one does not."""
    source = stirred(SMALL)
    path = tmp_path / f"own{suffix}"
    (source.save if suffix == ".keras" else source.save_weights)(path)
    recipe = replace(SMALL, head=head, weights=str(path))
    model = models.build(recipe, classes)
    after = [layer for layer in model.layers if layer.name.startswith(("head", "logits"))]
    fresh = values(after)
    said = weights.load(model, recipe)
    assert equal(values(models.backbone_layers(model)), values(models.backbone_layers(source)))
    assert equal(values(after), fresh) is not with_head
    assert said.endswith(f"{path}." if with_head else f"{path}, the head anew.")


def test_a_file_of_another_network_is_refused_in_words(tmp_path: Path) -> None:
    """Another width, another network, another kind of file or a damaged one: what it is not, and what to do."""
    source = stirred(SMALL)
    source.save(tmp_path / "own.keras")
    source.save_weights(tmp_path / "own.weights.h5")
    keras.Sequential([keras.Input((4,)), keras.layers.Dense(2)]).save(tmp_path / "other.keras")
    for name in ("torn.keras", "torn.weights.h5", "torn.h5"):
        (tmp_path / name).write_bytes(b"nothing of the kind")
    wide, other = replace(SMALL, width=8), replace(SMALL, model="r1cnn3")
    for recipe in (wide, other):
        for name in ("own.keras", "own.weights.h5"):
            with pytest.raises(SourceError, match="does not hold the weights of"):
                load_from(recipe, tmp_path / name)
    for name in ("torn.keras", "torn.weights.h5", "torn.h5", "other.keras"):
        with pytest.raises(SourceError, match="Give weights another file"):
            load_from(SMALL, tmp_path / name)


def load_from(recipe: Recipe, path: Path) -> str:
    """What is said when the recipe's fresh network starts from the file."""
    return weights.load(models.build(recipe, 8), replace(recipe, weights=str(path)))


@pytest.mark.parametrize(
    ("weights_field", "words"),
    [
        ("imagenett", "none, imagenet, run:NAME or a file"),
        ("/nowhere/at/all.keras", "There is no file"),
        ("run:nobody", "Can't find run 'nobody'"),
    ],
)
@pytest.mark.usefixtures("home")
def test_a_start_that_is_not_there_is_refused_before_anything_is_queued(
    weights_field: str, words: str
) -> None:
    """Checked without TensorFlow, in words."""
    with pytest.raises((InvalidValue, NotFound), match=words):
        start.check(replace(SMALL, weights=weights_field))


@pytest.fixture
def finished(tiny: Dataset) -> Callable[..., Run]:
    """Makes a finished run of a recipe with a real model."""

    def make(recipe: Recipe = SMALL, name: str = "first", **more: object) -> Run:
        run = make_run(tiny, name, recipe={**settings(recipe)}, **more)
        stirred(recipe, len(run.classes)).save(run.model_path)
        return run

    return make


def test_a_run_gives_its_backbone_and_its_head_where_it_answers_the_same(
    finished: Callable[..., Run],
) -> None:
    """Same classes and head: both; other classes, though as many, another pooling or head: the backbone alone."""
    source = keras.models.load_model(finished().model_path)
    classes = DEFAULT_CLASSES
    for recipe, named, with_head in (
        (SMALL, classes, True),
        (SMALL, classes[::-1], False),
        (replace(SMALL, pooling="max"), classes, False),
        (replace(SMALL, head="dense(6)"), classes, False),
        (SMALL, classes[:5], False),
    ):
        model = models.build(recipe, len(named))
        said = weights.load(model, replace(recipe, weights="run:first"), classes=named)
        assert equal(values(models.backbone_layers(model)), values(models.backbone_layers(source)))
        learned = source.get_layer("logits").get_weights()
        assert equal(model.get_layer("logits").get_weights(), learned) is with_head
        assert ("head anew" in said) is not with_head and "run 'first'" in said


def test_a_run_of_another_network_is_refused(finished: Callable[..., Run], tiny: Dataset) -> None:
    """Another network or width, no model yet, or several networks in one: refused before the queue, in words."""
    finished()
    finished(name="many", series={"kind": "folds", "children": []})
    make_run(tiny, "at-work", state="running")

    def refusal(recipe: Recipe) -> str:
        with pytest.raises(BloodappError) as caught:
            start.check(recipe)
        return str(caught.value)

    other = replace(SMALL, width=8, weights="run:first")
    assert "'first' is a tiny of width 4 and this recipe trains a tiny of width 8" in refusal(other)
    assert "trains a vgg16" in refusal(replace(other, model="vgg16"))
    assert "no finished model" in refusal(replace(other, weights="run:at-work"))
    assert "answer together" in refusal(replace(other, weights="run:many"))


@pytest.mark.usefixtures("home")
def test_the_starter_can_be_the_start() -> None:
    """The run that ships with the app gives a resnet9 its backbone and its head."""
    recipe = Recipe("r", "R", "", model="resnet9", width=32, weights="run:starter", head="dropout(0.2)")
    model = models.build(recipe, 8, any_size=True)
    assert (
        weights.load(model, recipe, classes=DEFAULT_CLASSES)
        == "The network begins with the weights of run 'starter'."
    )

"""Keras code of pipelines: it runs by itself, for everything that there is, and does what the app does."""

import json
import subprocess
import sys
from pathlib import Path

import pytest

from bloodapp.augment.code import keras_code
from bloodapp.augment.named import PIPELINES
from bloodapp.augment.operations import OPERATIONS
from bloodapp.augment.pipelines import parse, resolve

ROOT = Path(__file__).resolve().parents[2]


def strongest(name: str) -> str:
    """An operation's text with every number at its highest."""
    return f"{name}({', '.join(f'{one.high:g}' for one in OPERATIONS[name].parameters)})"


# Of each operation the usual values; those whose words lead elsewhere are there with the other words, too.
TEXTS = {
    **{name: name for name, operation in OPERATIONS.items() if not operation.branches},
    "one of them, by batch": "oneof(batch; noise; invert; none)",
    "nested": "sometimes(0.5; oneof(flip(1, horizontal)|rotate(20, white); none))|sometimes(0.9, batch; blur(0.4))",
    "parts": "grayscale(0.5)|cutmix(0.5)|off(hue)|noise(9, fixed)|shift(0.1, edge)|zoom(0.1, black)",
    "every corruption": "corrupt(any, 5)|corrupt(bubble, 1)",
    "strongest": "|".join(
        strongest(name) for name in ("channelshift", "hue", "saturation", "blur", "crop", "cutout")
    ),
    **{f"named {name}": name for name in PIPELINES},
}

# One process for all, and small images: what is asked is whether each text of code runs and keeps to its promise.
DRIVER = """
import json, sys
import numpy as np
import tensorflow as tf

tf.config.optimizer.set_experimental_options({"disable_meta_optimizer": True})  # halves the time
random = np.random.default_rng(1)
images = random.integers(0, 256, (5, 40, 40, 3)).astype(np.uint8)
labels = np.eye(8, dtype=np.float32)[[0, 1, 2, 3, 4]]
told = {}
for name, code in json.load(sys.stdin).items():
    try:
        space = {"__name__": "generated"}
        exec(compile(code, name, "exec"), space)
        batch = tf.data.Dataset.from_tensor_slices((images, labels)).batch(5)
        drawn, mixed = next(iter(batch.map(space["augment"])))
        drawn, mixed = drawn.numpy(), mixed.numpy()
        told[name] = {
            "shape": [*drawn.shape, *mixed.shape],
            "type": [drawn.dtype.name, mixed.dtype.name],
            "range": [float(drawn.min()), float(drawn.max())],
            "whole": bool((drawn == np.round(drawn)).all()),
            "sums": [float(one) for one in mixed.sum(1)],
            "same": bool((drawn == images).all()),
            "invert": bool((drawn == 255 - images).all()),
        }
    except Exception as error:
        told[name] = {"error": repr(error)[-600:]}
print(json.dumps(told))
"""


@pytest.fixture(scope="module")
def told() -> dict[str, dict]:
    """What the generated code of every text makes of five images, by name."""
    code = json.dumps({name: keras_code(parse(text)) for name, text in TEXTS.items()})
    done = subprocess.run(
        [sys.executable, "-c", DRIVER], input=code, cwd=ROOT, capture_output=True, text=True, timeout=580
    )
    assert done.returncode == 0, done.stderr[-2000:]
    return json.loads(done.stdout.splitlines()[-1])


@pytest.mark.timeout(600)
def test_generated_code_keeps_its_promise(told: dict[str, dict]) -> None:
    """Every operation and named pipeline as code: whole grey levels, the same shape, labels that sum to 1."""
    broken = {}
    for name, found in told.items():
        if "error" in found:
            broken[name] = found["error"]
            continue
        good = (
            found["shape"] == [5, 40, 40, 3, 5, 8]
            and found["type"] == ["float32", "float32"]
            and 0 <= found["range"][0] <= found["range"][1] <= 255
            and found["whole"]
            and all(abs(total - 1) < 1e-3 for total in found["sums"])
        )
        if not good:
            broken[name] = found
    assert set(told) == set(TEXTS)
    assert broken == {}


def test_generated_code_does_something(told: dict[str, dict]) -> None:
    """`invert` is the negative, `none` the same image, and what is certain to change an image has changed it."""
    assert told["invert"]["invert"]
    assert told["named none"]["same"]
    for name in ("rotate", "noise", "brightness", "stain", "edges", "corrupt", "gridmask", "named r2"):
        assert not told[name]["same"], name


def test_only_what_is_used_is_in_the_code() -> None:
    """A simple pipeline needs neither KerasCV nor functions of other operations; a step that is off is said."""
    code = keras_code(parse("rotate(15)|off(hue)|noise(0)"))
    assert "keras_cv" not in code.split('"""')[2]
    assert "def noise" not in code
    assert "RandomRotation(15 / 360" in code
    assert "# does nothing: off(hue)" in code
    assert "# does nothing: noise(0)" in code
    assert "bloodapp.augment" in keras_code(parse("corrupt"))
    assert "bloodapp.augment" not in keras_code(resolve("robust"))


def test_stain_vectors_of_the_dataset_go_into_the_code() -> None:
    """`stain` works along the vectors that are given."""
    code = keras_code(parse("stain(0.2)"), stains=[[0.1, 0.2, 0.3], [0.4, 0.5, 0.6]])
    assert "[[0.1000, 0.2000, 0.3000], [0.4000, 0.5000, 0.6000]]" in code

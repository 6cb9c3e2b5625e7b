"""Draws are functions of a key: in our layers, in KerasCV's, in loops; and what others draw is left alone."""

import subprocess
import sys
import textwrap
import threading
from pathlib import Path

import numpy as np
import pytest
import tensorflow as tf

keyed = pytest.importorskip("bloodapp.augment.keyed")

ROOT = Path(__file__).resolve().parents[2]
KEY = tf.constant([3, 5])


def in_a_new_process(code: str) -> str:
    """What a fresh Python says when it runs the code in the repository's root."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, capture_output=True, text=True, timeout=280
    )
    assert done.returncode == 0, done.stderr[-3000:]
    return done.stdout


def test_no_draw_is_unseeded() -> None:
    """Where TensorFlow refuses whatever is drawn without a seed, all operations and named pipelines still draw."""
    said = in_a_new_process(
        """
        import tensorflow as tf
        tf.config.experimental.enable_op_determinism()
        from bloodapp.augment.named import PIPELINES
        from tests.augment.drawn import PLAIN, mixed, unlike

        for draw in (lambda: tf.random.uniform(()), lambda: tf.random.gamma((), 1.0)):
            try:
                draw()
            except RuntimeError as error:
                assert "determinism" in str(error)
            else:
                raise AssertionError("an unseeded draw is not refused")
        images = unlike(3, 32)
        found = [mixed(name, images)[0] for name in (*PLAIN, *PIPELINES)]
        again = [mixed(name, images)[0] for name in (*PLAIN, *PIPELINES)]
        assert all((one == other).all() for one, other in zip(found, again, strict=True))
        print(len(found), "drawn")
        """
    )
    assert said.splitlines()[-1].endswith(" drawn")


def test_a_plain_use_of_kerascv_still_draws() -> None:
    """Somebody else's layer in the same process works, eagerly and in tf.data, and draws anew for each call."""
    import keras_cv

    from bloodapp.augment import layers  # noqa: F401  what rewires KerasCV
    from tests.augment.drawn import one_hot, unlike

    images = tf.constant(unlike(6, 32), tf.float32)
    rotate = keras_cv.layers.RandomRotation(0.5, dtype="float32")
    assert not np.array_equal(rotate(images, training=True), rotate(images, training=True))
    policy = keras_cv.layers.RandAugment((0, 255), 2, 0.5, dtype="float32")
    batches = tf.data.Dataset.from_tensors(images).repeat(3).map(lambda some: policy(some, training=True))
    first, second, third = (batch.numpy() for batch in batches)
    assert not np.array_equal(first, second) and not np.array_equal(second, third)
    mix = keras_cv.layers.CutMix(dtype="float32")(
        {"images": images, "labels": tf.constant(one_hot(6))}, training=True
    )
    assert np.allclose(tf.reduce_sum(mix["labels"], 1), 1)


def test_tensorflow_itself_is_not_changed() -> None:
    """Only KerasCV's modules know another `tf`; TensorFlow's functions are its own."""
    from keras_cv.src.layers.preprocessing import cut_mix

    from bloodapp.augment import layers

    assert cut_mix.tf is not tf and layers.tf is tf
    for name in ("map_fn", "while_loop", "vectorized_map", "random"):
        assert getattr(tf, name) is not getattr(cut_mix.tf, name)
        assert "bloodapp" not in str(getattr(getattr(tf, name), "__module__", ""))
    assert cut_mix.tf.reduce_sum is tf.reduce_sum


def test_the_key_alone_decides_in_order() -> None:
    """The same key gives the same draws, another others; and each draw of one key is another."""

    def draws(key: tf.Tensor) -> list[float]:
        with keyed.drawing(key):
            return [float(keyed.uniform(())) for _ in range(4)]

    assert draws(KEY) == draws(KEY)
    assert len(set(draws(KEY)) | set(draws(KEY + 1))) == 8


def test_keys_within_keys() -> None:
    """An inner key is in force as long as it lasts; the outer one then goes on where it was."""
    with keyed.drawing(KEY):
        plain = [float(keyed.uniform(())) for _ in range(2)]
    with keyed.drawing(KEY):
        first = float(keyed.uniform(()))
        with pytest.raises(ZeroDivisionError), keyed.drawing(KEY + 1):
            keyed.uniform(())
            raise ZeroDivisionError
        assert [first, float(keyed.uniform(()))] == plain


def test_keys_are_each_threads_own() -> None:
    """A key in force in one thread is none in another."""
    found = []
    with keyed.drawing(KEY):
        thread = threading.Thread(target=lambda: found.append(getattr(keyed._local, "scope", None)))
        thread.start()
        thread.join()
    assert found == [None]


@pytest.mark.parametrize("loop", ["map_fn", "vectorized_map"])
@pytest.mark.parametrize("traced", [False, True])
def test_loops_over_elements_draw_a_key_for_each(loop: str, traced: bool) -> None:
    """What is drawn within a loop differs from element to element, and is the same under the same key."""
    wired = keyed._TENSORFLOW

    def draw() -> tf.Tensor:
        with keyed.drawing(KEY):
            return getattr(wired, loop)(lambda one: one + keyed.uniform(()), tf.zeros(16))

    call = tf.function(draw, autograph=False) if traced else draw
    found = call().numpy()
    assert len(np.unique(found)) == 16
    assert np.array_equal(found, call().numpy())


@pytest.mark.parametrize("traced", [False, True])
def test_rounds_of_a_loop_draw_a_key_each(traced: bool) -> None:
    """Every round of a while loop draws anew; two loops one after the other draw apart."""
    wired = keyed._TENSORFLOW

    def rounds() -> tf.Tensor:
        return wired.while_loop(
            lambda done, seen: done < 8,
            lambda done, seen: (done + 1, tf.concat([seen[1:], keyed.uniform((1,))], 0)),
            (tf.constant(0), tf.zeros(8)),
        )[1]

    def draw() -> tf.Tensor:
        with keyed.drawing(KEY):
            return tf.concat([rounds(), rounds()], 0)

    call = tf.function(draw, autograph=False) if traced else draw
    found = call().numpy()
    assert len(np.unique(found)) == 16
    assert np.array_equal(found, call().numpy())


def test_distributions_are_what_they_are_called() -> None:
    """Uniform, normal, gamma and shuffles by key have the moments that they should."""
    random = keyed._TENSORFLOW.random
    with keyed.drawing(KEY):
        uniform = random.uniform((20_000,), 2.0, 4.0).numpy()
        whole = random.uniform((20_000,), 0, 6, tf.int32).numpy()
        normal = random.normal((20_000,), 1.0, 3.0).numpy()
        gamma = random.gamma((20_000,), 0.5).numpy()
        pairs = random.gamma((5,), tf.ones(3)).numpy()
        orders = np.stack([random.shuffle(tf.range(6)).numpy() for _ in range(60)])
    assert uniform.min() >= 2 and uniform.max() < 4 and uniform.mean() == pytest.approx(3, abs=0.02)
    assert set(whole) == set(range(6)) and np.bincount(whole).min() > 3000
    assert normal.mean() == pytest.approx(1, abs=0.1) and normal.std() == pytest.approx(3, rel=0.03)
    assert gamma.mean() == pytest.approx(0.5, rel=0.05) and gamma.var() == pytest.approx(0.5, rel=0.1)
    assert pairs.shape == (5, 3)
    assert (np.sort(orders, 1) == np.arange(6)).all() and len(np.unique(orders, axis=0)) > 50
    assert np.abs(orders.mean(0) - 2.5).max() < 0.9


def test_what_is_not_drawn_by_key_says_so() -> None:
    """A random function that nobody has thought of is an error, and no unseeded draw."""
    with pytest.raises(AttributeError, match=r"tf\.random\.poisson is not drawn by key"):
        keyed._TENSORFLOW.random.poisson((), 1.0)


def test_parted_gives_each_row_to_its_branch() -> None:
    """Rows come back in their order; a branch that no row is drawn for is not run."""
    from bloodapp.augment.parting import parted

    run: list[int] = []

    def branch(number: int):
        def work(rows: tf.Tensor) -> tuple[tf.Tensor]:
            tf.py_function(lambda: run.append(number), [], [])
            return (rows + 10.0 * number,)

        return work

    rows = tf.range(7, dtype=tf.float32)
    (found,) = parted(tf.constant([2, 0, 2, 2, 0, 0, 2]), [branch(n) for n in range(3)], rows)
    assert found.numpy().tolist() == [20, 1, 22, 23, 4, 5, 26]
    assert sorted(run) == [0, 2]

"""Random draws as functions of a key, also inside layers that were written to draw from hidden state.

KerasCV's layers draw from shared generators, and AugMix, CutMix, MixUp and FourierMix from TensorFlow's unseeded
state, which no seed reaches. `rewire` gives such modules a TensorFlow whose random functions take their seeds from
the key in force, and whose loops hand each round a key of its own. Nothing of TensorFlow itself is changed.
"""

import threading
from collections.abc import Callable, Iterable, Iterator
from contextlib import contextmanager
from types import ModuleType
from typing import Any

import keras
import tensorflow as tf

_DRAW = (-1640531527, 1)  # added for each draw; odd, so that 2³² draws differ
_ROUND = (-2048144789, 0)  # added for each round of a loop

_local = threading.local()


class _Scope:
    """A key in force, and how many draws were made with it."""

    def __init__(self, key: tf.Tensor) -> None:
        self.key, self.draws = key, 0


@contextmanager
def drawing(key: tf.Tensor) -> Iterator[None]:
    """Let draws within derive from the key, int32 (2,), in the order in which they are written down."""
    outer = getattr(_local, "scope", None)
    _local.scope = _Scope(key)
    try:
        yield
    finally:
        _local.scope = outer


def seed() -> tf.Tensor:
    """The next seed int32 (2,) of the key in force, for TensorFlow's stateless functions; any where there is none."""
    scope = getattr(_local, "scope", None)
    if scope is None:  # somebody else's use of a rewired layer
        return tf.random.uniform((2,), -(2**31), 2**31 - 1, tf.int32)
    scope.draws += 1
    return scope.key + tf.constant([_wrapped(step * scope.draws) for step in _DRAW], tf.int32)


def seeds(count: tf.Tensor | int) -> tf.Tensor:
    """As many keys of their own, int32 (count, 2)."""
    return tf.random.stateless_uniform([count, 2], seed(), minval=None, maxval=None, dtype=tf.int32)


def uniform(shape: Any, low: Any = 0.0, high: Any = 1.0, dtype: Any = tf.float32) -> tf.Tensor:
    """Uniform draws from `low` up to `high`."""
    return tf.random.stateless_uniform(shape, seed(), low, high, dtype)


def normal(shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = tf.float32) -> tf.Tensor:
    """Normal draws."""
    return tf.random.stateless_normal(shape, seed(), mean, stddev, dtype)


class KeySeeds(keras.random.SeedGenerator):
    """What a Keras layer asks for its seeds: those of the key in force."""

    def __init__(self) -> None:
        # Not the base class's: it would make a variable, for the state that this one does not have.
        self.name = "key"

    def next(self, ordered: bool = True) -> tf.Tensor:
        """The next seed int32 (2,)."""
        return seed()


def rewire(modules: Iterable[ModuleType]) -> None:
    """Let every draw and loop in these modules, which know TensorFlow as `tf`, go by the key in force."""
    for module in modules:
        if getattr(module, "tf", None) is tf:
            module.tf = _TENSORFLOW  # type: ignore[attr-defined]


def _wrapped(number: int) -> int:
    """The number as int32 holds it."""
    return (number + 2**31) % 2**32 - 2**31


class _Generator:
    """In place of `tf.random.Generator`: no state of its own."""

    @staticmethod
    def from_seed(seed: Any = None) -> "_Generator":
        return _Generator()

    def uniform(self, shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = tf.float32) -> tf.Tensor:
        return _Random.uniform(shape, minval, maxval, dtype)

    def normal(self, shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = tf.float32) -> tf.Tensor:
        return normal(shape, mean, stddev, dtype)


class _Random:
    """In place of `tf.random`: the functions that KerasCV's layers draw with, by the key in force."""

    Generator = _Generator

    @staticmethod
    def get_global_generator() -> _Generator:
        return _Generator()

    @staticmethod
    def uniform(
        shape: Any, minval: Any = 0, maxval: Any = None, dtype: Any = tf.float32, seed: Any = None
    ) -> tf.Tensor:
        del seed  # the layers' own, which leads to the same draws in every call
        return uniform(shape, minval, 1 if maxval is None else maxval, dtype)

    @staticmethod
    def normal(
        shape: Any, mean: Any = 0.0, stddev: Any = 1.0, dtype: Any = tf.float32, seed: Any = None
    ) -> tf.Tensor:
        del seed
        return normal(shape, mean, stddev, dtype)

    @staticmethod
    def gamma(shape: Any, alpha: Any, beta: Any = None, dtype: Any = tf.float32) -> tf.Tensor:
        alpha = tf.convert_to_tensor(alpha, dtype)
        whole = tf.concat([tf.convert_to_tensor(shape, tf.int32), tf.shape(alpha)], 0)
        return tf.random.stateless_gamma(whole, seed(), alpha, beta, dtype)

    @staticmethod
    def shuffle(value: Any, seed: Any = None) -> tf.Tensor:
        del seed
        # Not stateless_shuffle: it shuffles by sorting as well, and this way the whole draw is in sight.
        order = tf.argsort(uniform(tf.shape(value)[:1]))
        return tf.gather(value, order)

    def __getattr__(self, name: str) -> Any:
        raise AttributeError(f"tf.random.{name} is not drawn by key: add it to bloodapp.augment.keyed.")


class _TensorFlow:
    """TensorFlow, but for its random functions and its loops."""

    random = _Random()

    @staticmethod
    def map_fn(fn: Callable[[Any], Any], elems: Any, **options: Any) -> Any:
        """`tf.map_fn` with a key for each element."""
        if getattr(_local, "scope", None) is None:
            return tf.map_fn(fn, elems, **options)
        count = tf.shape(tf.nest.flatten(elems)[0])[0]
        if "dtype" not in options and "fn_output_signature" not in options:
            options["fn_output_signature"] = tf.nest.map_structure(lambda one: one.dtype, elems)

        def one(pair: tuple[Any, tf.Tensor]) -> Any:
            with drawing(pair[1]):
                return fn(pair[0])

        return tf.map_fn(one, (elems, seeds(count)), **options)

    @staticmethod
    def vectorized_map(fn: Callable[[Any], Any], elems: Any, **options: Any) -> Any:
        """`tf.vectorized_map` with a key for each element."""
        if getattr(_local, "scope", None) is None:
            return tf.vectorized_map(fn, elems, **options)

        def one(pair: tuple[Any, tf.Tensor]) -> Any:
            with drawing(pair[1]):
                return fn(pair[0])

        count = tf.shape(tf.nest.flatten(elems)[0])[0]
        return tf.vectorized_map(one, (elems, seeds(count)), **options)

    @staticmethod
    def while_loop(cond: Callable[..., Any], body: Callable[..., Any], loop_vars: Any, **options: Any) -> Any:
        """`tf.while_loop` with a key for each round."""
        if getattr(_local, "scope", None) is None:
            return tf.while_loop(cond, body, loop_vars, **options)

        def keyed_body(key: tf.Tensor, *values: Any) -> tuple[Any, ...]:
            with drawing(key):
                return (key + tf.constant(_ROUND, tf.int32), *body(*values))

        found = tf.while_loop(
            lambda key, *values: cond(*values), keyed_body, (seeds(1)[0], *loop_vars), **options
        )
        return found[1:]

    def __getattr__(self, name: str) -> Any:
        return getattr(tf, name)


_TENSORFLOW = _TensorFlow()


def repeated(count: Any, function: Callable[[tf.Tensor], tf.Tensor], images: tf.Tensor) -> tf.Tensor:
    """The function applied `count` times, a number that may be a tensor, each time with a key of its own."""

    def again(done: tf.Tensor, now: tf.Tensor) -> tuple[tf.Tensor, tf.Tensor]:
        return done + 1, tf.ensure_shape(function(now), images.shape)

    rounds = tf.cast(count, tf.int32)
    _, result = _TENSORFLOW.while_loop(lambda done, now: done < rounds, again, (tf.constant(0), images))
    return result

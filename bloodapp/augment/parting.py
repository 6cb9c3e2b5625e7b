"""A batch parted among branches: each image goes through the one that was drawn for it, and all come back in order.

So a branch works on its images at once, and what is not drawn costs nothing.
"""

from collections.abc import Callable, Sequence

import tensorflow as tf

Tensors = tuple[tf.Tensor, ...]


def parted(which: tf.Tensor, branches: Sequence[Callable[..., Tensors]], *tensors: tf.Tensor) -> Tensors:
    """The tensors (B, …), each row from the branch of its number in `which`, int32 (B,).

    A branch takes the rows that are its own, of all tensors, and returns as many; it is not called for none.
    """
    count = len(branches)
    rows = tf.dynamic_partition(tf.range(tf.shape(which)[0]), which, count)
    parts = [tf.dynamic_partition(tensor, which, count) for tensor in tensors]
    found = [_through(branch, *(part[number] for part in parts)) for number, branch in enumerate(branches)]
    return tuple(
        tf.ensure_shape(tf.dynamic_stitch(rows, [part[place] for part in found]), tensor.shape)
        for place, tensor in enumerate(tensors)
    )


def _through(branch: Callable[..., Tensors], *tensors: tf.Tensor) -> Tensors:
    found = tf.cond(tf.shape(tensors[0])[0] > 0, lambda: tuple(branch(*tensors)), lambda: tensors)
    return tuple(found)

"""Where a training computes: the devices of this computer, the number format they take, and their memory."""

import os
from contextlib import AbstractContextManager, nullcontext, suppress
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import keras
import psutil
import tensorflow as tf

from bloodapp.errors import InvalidValue
from bloodapp.train.networks import network_named
from bloodapp.train.recipe import Recipe

_CPU_FLAGS = Path("/proc/cpuinfo")
MIB = 2**20


@dataclass(frozen=True)
class Device:
    """What a training runs on.

    Attributes:
        name: as people read it.
        precision: the Keras policy.
        strategy: how several devices share the work; None for one.
        gpus: how many GPUs compute.
    """

    name: str
    precision: str
    strategy: Any = None
    gpus: int = 0

    def scope(self) -> AbstractContextManager[Any]:
        """Where the model is built and compiled."""
        return self.strategy.scope() if self.strategy else nullcontext()


def prepare(recipe: Recipe) -> Device:
    """Make the recipe's devices, and no others, ready for this process, with its seed and number format.

    `auto` takes the first GPU, else the CPU; `all` shares each batch among all GPUs of this computer
    (tf.distribute.MirroredStrategy). Raises InvalidValue for a GPU that is not there, and for a batch that cannot be
    shared evenly.
    """
    gpus = chosen(recipe.device, tf.config.list_physical_devices("GPU"))
    check_shared(recipe.batch, len(gpus))
    _show(gpus, recipe.device)
    for gpu in gpus:
        with suppress(RuntimeError):  # in use already, where work is done in the server's own process
            tf.config.experimental.set_memory_growth(gpu, True)
    keras.utils.set_random_seed(recipe.seed)
    if recipe.deterministic:
        tf.config.experimental.enable_op_determinism()
    policy = precision(recipe)
    keras.mixed_precision.set_global_policy(policy)
    logical = tf.config.list_logical_devices("GPU") if recipe.device == "all" else []
    return Device(name(), policy, mirrored([each.name for each in logical]), len(gpus))


def _show(gpus: list[Any], device: str) -> None:
    """Let this process see these GPUs and no others, as long as it has computed nothing yet."""
    if tf.config.get_visible_devices("GPU") == gpus:
        return
    try:
        tf.config.set_visible_devices(gpus, "GPU")
    except RuntimeError:
        if device != "auto":
            raise InvalidValue(
                f"This process computes on other devices already, so device {device} has no effect in it: set device "
                "to auto, or let trainings have processes of their own (unset BLOODAPP_JOBS)."
            ) from None


def chosen(device: str, gpus: list[Any]) -> list[Any]:
    """The GPUs, of those there are, that a recipe's `device` means; raises InvalidValue for one that is not there."""
    if device == "cpu":
        return []
    if device == "auto":
        return gpus[:1]
    if not gpus:
        raise InvalidValue(
            f"TensorFlow finds no GPU on this computer, so device {device} cannot be used: set device to auto or cpu."
        )
    if device == "all":
        return gpus
    number = int(device.partition(":")[2])
    if number >= len(gpus):
        known = ", ".join(f"gpu:{k}" for k in range(len(gpus)))
        raise InvalidValue(f"There is no {device} on this computer: set device to auto, cpu or {known}.")
    return [gpus[number]]


def check_shared(batch: int, gpus: int) -> None:
    """Raise InvalidValue for a batch that so many GPUs cannot share evenly, which TensorFlow needs."""
    if gpus > 1 and batch % gpus:
        near = max(gpus, batch // gpus * gpus)
        raise InvalidValue(
            f"{gpus} GPUs share each batch evenly, and {batch} cannot be: set batch to {near}."
        )


def mirrored(names: list[str]) -> Any:
    """The strategy that trains copies of a model on several devices, each on its share of a batch; None for one."""
    return tf.distribute.MirroredStrategy(names) if len(names) > 1 else None


def precision(recipe: Recipe) -> str:
    """The Keras policy for the recipe on this machine: lower precision only where the hardware gains by it.

    On a CPU with bfloat16 that is 1.3 (resnet9) to 2.2 (r1cnn3) times the speed for plain convolutions, and for
    networks of depthwise ones 0.7 (mobilenetv2) to 0.95 (convnexttiny): those stay in float32.
    """
    wanted = recipe.precision
    if wanted == "auto":
        gpus = tf.config.get_visible_devices("GPU")
        if gpus:
            capability = tf.config.experimental.get_device_details(gpus[0]).get("compute_capability", (0, 0))
            wanted = "bfloat16" if capability >= (8, 0) else "float16" if capability >= (7, 0) else "float32"
        else:
            flags = _CPU_FLAGS.read_text() if _CPU_FLAGS.exists() else ""
            fast = "avx512_bf16" in flags or "amx_bf16" in flags
            wanted = "bfloat16" if fast and not network_named(recipe.model).depthwise else "float32"
    return "float32" if wanted == "float32" else f"mixed_{wanted}"


def name() -> str:
    """What the training runs on, as people read it."""
    gpus = tf.config.get_visible_devices("GPU")
    if gpus:
        first = str(tf.config.experimental.get_device_details(gpus[0]).get("device_name", "GPU"))
        return first if len(gpus) == 1 else f"{len(gpus)} × {first}"
    return (
        f"CPU, {len(os.sched_getaffinity(0)) if hasattr(os, 'sched_getaffinity') else os.cpu_count()} cores"
    )


def memory() -> tuple[int, int | None]:
    """MiB that this process holds now, and the most that its GPUs held at a time; None without a GPU."""
    gpus = tf.config.list_logical_devices("GPU")
    peaks = [tf.config.experimental.get_memory_info(gpu.name.partition("device:")[2])["peak"] for gpu in gpus]
    own = psutil.Process().memory_info().rss
    return round(own / MIB), round(sum(peaks) / MIB) if peaks else None

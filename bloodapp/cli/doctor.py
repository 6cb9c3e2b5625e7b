"""`doctor`: what this machine has, and how fast it trains."""

import argparse
import os
import platform
import shutil
import sys
import time
from collections.abc import Iterator
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from bloodapp import __version__, workspace
from bloodapp.cli import terminal

_PACKAGES = (
    "streamlit",
    "tensorflow",
    "tensorflow-cpu",
    "keras",
    "keras-cv",
    "numpy",
    "pandas",
    "pyarrow",
    "pillow",
)
_MEASURE_S = 2.0


def add(commands: terminal.Commands) -> None:
    """Add the command."""
    doctor = terminal.command(
        commands,
        "doctor",
        examine,
        "Show versions, devices, memory, where things lie, and one timed training step.",
        "doctor\ndoctor --no-step",
    )
    doctor.add_argument(
        "--no-step", action="store_true", help="do not import TensorFlow: no devices, no timed step"
    )


def examine(args: argparse.Namespace) -> None:
    """`doctor`: one fact a line, its name first."""
    for facts in (_versions(), _machine(), _places()):
        for name, fact in facts:
            print(f"{name:14} {fact}", flush=True)
    if not args.no_step:
        terminal.say("importing TensorFlow …")
        for name, fact in _training():
            print(f"{name:14} {fact}", flush=True)


def _versions() -> Iterator[tuple[str, object]]:
    yield "bloodapp", __version__
    yield "python", f"{platform.python_version()} ({sys.executable})"
    for package in _PACKAGES:
        with suppress(metadata.PackageNotFoundError):
            yield package, metadata.version(package)


def _machine() -> Iterator[tuple[str, object]]:
    yield "system", f"{platform.system()} {platform.release()} {platform.machine()}"
    yield "cores", len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    with suppress(OSError, ValueError, AttributeError):
        total = os.sysconf("SC_PAGE_SIZE") * os.sysconf("SC_PHYS_PAGES")
        with suppress(OSError, ValueError):  # in a container the limit of its group counts
            total = min(total, int(Path("/sys/fs/cgroup/memory.max").read_text()))
        yield "memory", f"{total / 1e9:.1f} GB{_available()}"


def _available() -> str:
    with suppress(OSError):
        for line in Path("/proc/meminfo").read_text().splitlines():
            if line.startswith("MemAvailable:"):
                return f", {int(line.split()[1]) * 1024 / 1e9:.1f} GB of the machine's available"
    return ""


def _places() -> Iterator[tuple[str, object]]:
    places = (
        ("home", workspace.home()),
        ("datasets", workspace.datasets_folder()),
        ("jobs", workspace.jobs_folder()),
        ("runs", workspace.runs_folder()),
    )
    for name, path in places:
        there = next(each for each in (path, *path.parents) if each.exists())
        note = "" if path.exists() else ", made when needed"
        writable = "" if os.access(there, os.W_OK) else ", NOT WRITABLE"
        yield name, f"{path} ({shutil.disk_usage(there).free / 1e9:.1f} GB free{note}{writable})"


def _training() -> Iterator[tuple[str, object]]:
    with terminal.hushed():
        import keras
        import numpy as np
        import tensorflow as tf

        from bloodapp.classes import DEFAULT_CLASSES
        from bloodapp.train import devices, models, optimizers
        from bloodapp.train.recipes import DEFAULT, recipe_named

    gpus = tf.config.list_physical_devices("GPU")
    yield "gpus", len(gpus)
    for gpu in gpus:
        tf.config.experimental.set_memory_growth(gpu, True)
        details = tf.config.experimental.get_device_details(gpu)
        capability = ".".join(map(str, details.get("compute_capability", ())))
        yield "gpu", f"{details.get('device_name', gpu.name)} (compute capability {capability or 'unknown'})"

    recipe = recipe_named(DEFAULT)
    precision = devices.precision(recipe)
    keras.mixed_precision.set_global_policy(precision)
    model = models.build(recipe, len(DEFAULT_CLASSES))
    model.compile(optimizers.optimizer(recipe), "categorical_crossentropy", jit_compile=bool(gpus))
    rng = np.random.default_rng(0)
    images = rng.integers(0, 256, (recipe.batch, recipe.size, recipe.size, 3)).astype(np.float32)
    labels = np.eye(len(DEFAULT_CLASSES), dtype=np.float32)[
        rng.integers(0, len(DEFAULT_CLASSES), recipe.batch)
    ]
    begun = time.monotonic()
    model.train_on_batch(images, labels)
    first = time.monotonic() - begun
    begun, steps = time.monotonic(), 0
    while time.monotonic() - begun < _MEASURE_S:
        model.train_on_batch(images, labels)
        steps += 1
    step = (time.monotonic() - begun) / steps
    yield (
        "recipe",
        f"{recipe.name}: {recipe.model}, {model.count_params():,} parameters, {precision} on {devices.name()}",
    )
    speed = f"{recipe.batch / step:.0f} images/s"
    yield "step", f"{1000 * step:.0f} ms for {recipe.batch} images, {speed} (the first took {first:.1f} s)"

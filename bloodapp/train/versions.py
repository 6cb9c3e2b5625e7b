"""What a training was computed with: versions and the computer, found without importing anything heavy."""

import os
import platform
from contextlib import suppress
from importlib import metadata
from pathlib import Path

from bloodapp import __version__

_PACKAGES = {"tensorflow": ("tensorflow", "tensorflow-cpu"), "keras": ("keras",), "keras-cv": ("keras-cv",)}
_PACKAGES |= {"numpy": ("numpy",)}
_PROCESSOR = Path("/proc/cpuinfo")


def versions() -> dict[str, str]:
    """Versions by name: bloodapp, python, tensorflow, keras, keras-cv, numpy; what is not installed is left out."""
    found = {"bloodapp": __version__, "python": platform.python_version()}
    for name, distributions in _PACKAGES.items():
        for distribution in distributions:
            with suppress(metadata.PackageNotFoundError):
                found.setdefault(name, metadata.version(distribution))
    return found


def computer() -> str:
    """The processor and how many cores of it may be used, as people read it."""
    cores = len(os.sched_getaffinity(0)) if hasattr(os, "sched_getaffinity") else os.cpu_count()
    return f"{_processor()}, {cores} core{'' if cores == 1 else 's'}"


def _processor() -> str:
    with suppress(OSError):
        for line in _PROCESSOR.read_text().splitlines():
            if line.startswith("model name"):
                return line.partition(":")[2].strip()
    return platform.processor() or platform.machine()

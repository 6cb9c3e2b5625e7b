"""How things are measured: in turns with their peers, and where memory or a cold start counts, in a new process.

Only the standard library is imported here, because the new processes import it too.
"""

import json
import os
import subprocess
import sys
import textwrap
import time
from collections.abc import Callable, Mapping
from pathlib import Path
from typing import Any, TypeVar

ROOT = Path(__file__).resolve().parents[2]
TURNS = int(os.environ.get("BLOODAPP_BENCH_TURNS", "3"))
PATIENCE_S = 600
HEAVY = ("keras", "keras_cv", "tensorflow")

T = TypeVar("T")


def in_turns(measures: Mapping[str, Callable[[], T]], turns: int = TURNS) -> dict[str, list[T]]:
    """Measure each thing once a turn, every turn beginning with another one, so that all meet the same noise."""
    names = list(measures)
    found: dict[str, list[T]] = {name: [] for name in names}
    for turn in range(turns):
        for place in range(len(names)):
            name = names[(turn + place) % len(names)]
            found[name].append(measures[name]())
    return found


def seconds(action: Callable[[], object]) -> float:
    """How long the call takes."""
    begun = time.perf_counter()
    action()
    return time.perf_counter() - begun


def in_new_process(setup: str, work: str, *arguments: object, **environment: str) -> dict[str, Any]:
    """What a fresh Python in the repository's root says of itself after `setup` and `work`, two pieces of code.

    Gives `seconds` of the work alone, `peak` memory in MiB, `heavy`, the modules of HEAVY that it has imported,
    and `told`, whatever the code leaves in a variable of this name. The arguments are in `sys.argv[1:]`.
    """
    code = "\n".join(
        [
            "import json, sys, time",
            "told = None",
            textwrap.dedent(setup),
            "begun = time.perf_counter()",
            textwrap.dedent(work),
            "took = time.perf_counter() - begun",
            "from tests.benchmarks.measure import HEAVY, peak",
            "heavy = [name for name in HEAVY if name in sys.modules]",
            "print(json.dumps({'seconds': took, 'peak': peak(), 'heavy': heavy, 'told': told}))",
        ]
    )
    done = subprocess.run(
        [sys.executable, "-c", code, *map(str, arguments)],
        cwd=ROOT,
        env={**os.environ, **environment},
        capture_output=True,
        text=True,
        timeout=PATIENCE_S,
    )
    assert done.returncode == 0, done.stderr
    said: dict[str, Any] = json.loads(done.stdout.splitlines()[-1])
    return said


def peak() -> float:
    """The most memory that this process has had resident, in MiB."""
    status = Path("/proc/self/status")
    if status.exists():  # not ru_maxrss on Linux, which a new process inherits from the one that started it
        high = next(line for line in status.read_text().splitlines() if line.startswith("VmHWM"))
        return int(high.split()[1]) / 1024
    import resource

    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss
    return most / (1 << 20 if sys.platform == "darwin" else 1 << 10)

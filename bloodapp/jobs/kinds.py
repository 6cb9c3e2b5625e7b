"""Which function does which kind of job; named as text, so that only the worker imports it.

A work function is called as `work(params, context)` and returns a JSON-able dict or None, the result.
"""

from collections.abc import Callable, Mapping
from importlib import import_module
from typing import Any

from bloodapp.errors import NotFound

Work = Callable[[dict[str, Any], Any], dict[str, Any] | None]
Kinds = Mapping[str, str | Work]

KINDS: dict[str, str | Work] = {
    "import": "bloodapp.data.importing:work",
    "export": "bloodapp.data.exporting.formats:work",
    "add": "bloodapp.data.adding:work",
    "scan": "bloodapp.review.scan:work",
    "plant": "bloodapp.review.planting:work",
    "propose": "bloodapp.review.proposals:work",
    "expand": "bloodapp.augment.expand:work",
    "speed": "bloodapp.train.speed:work",
    "cost": "bloodapp.train.cost:work",
    "rates": "bloodapp.train.rates:work",
    "train": "bloodapp.train.fit:work",
    "series": "bloodapp.train.series:work",
    "evaluate": "bloodapp.evaluate.job:work",
    "corrupt": "bloodapp.evaluate.suite:work",
    "target": "bloodapp.evaluate.target:work",
    "features": "bloodapp.classify.features:work",
    "map": "bloodapp.review.plane:work",
    "combine": "bloodapp.train.combine:work",
}

# Kinds that want the machine to themselves: one of them at a time, in a lane of their own, so that
# an import or a scan need not wait for a training to end.
HEAVY = frozenset({"rates", "series", "train"})

DEFAULT_TABLE = "bloodapp.jobs.kinds:KINDS"


def lane(kind: str) -> str:
    """The lane that a kind of job waits in: `train` or `rest`."""
    return "train" if kind in HEAVY else "rest"


def named(path: str) -> Any:
    """The object that `module:name` names."""
    module, _, name = path.partition(":")
    return getattr(import_module(module), name)


def work_function(kind: str, kinds: Kinds) -> Work:
    """The function of a kind; raises NotFound for a kind that the table lacks."""
    if kind not in kinds:
        raise NotFound("kind of job", kind, kinds)
    entry = kinds[kind]
    work: Work = named(entry) if isinstance(entry, str) else entry
    return work

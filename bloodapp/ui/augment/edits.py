"""The pipeline that the Augment page is about: as the address has it, where it came from, and the way back.

Every change is a step of the browser's back button and can be undone here, too; the text in the address
is the one truth.
"""

from bloodapp.augment.named import NONE, PIPELINES
from bloodapp.augment.pipelines import Pipeline, resolve
from bloodapp.augment.pipelines import text as pipeline_text
from bloodapp.augment.saved import saved_pipelines
from bloodapp.errors import PipelineError
from bloodapp.train.recipes import DEFAULT, recipe_named
from bloodapp.ui import state

FILTERS = ("pipeline", "from", "view", "class", "cells", "draw", "looks", "cell", "strength", "threshold")
"""What the page's address carries; `from` is the name that an edited pipeline came from."""

_MOST = 100
_UNDO, _REDO = "pipeline_undo", "pipeline_redo"


def asked() -> str:
    """The pipeline looked at, as name or text: the one asked for, the one chosen for training, the recipe's."""
    default = recipe_named(DEFAULT).pipeline
    return str(state.get("pipeline") or state.get("augment") or default).strip() or NONE


def origin() -> str | None:
    """The name that the text in the address was made from, while it exists and is not the pipeline itself."""
    name = state.get("from")
    return str(name) if name and name != asked() and exists(str(name)) else None


def exists(name: str) -> bool:
    """Whether the name stands for a pipeline, shipped or saved."""
    return name in PIPELINES or name in saved_pipelines()


def title(name: str) -> str:
    """What a pipeline of this name is called for people; a saved one is called by its name."""
    return PIPELINES[name].title if name in PIPELINES else name


def written_out() -> str:
    """The text of what is looked at, with a named pipeline's steps in the place of its name; raises PipelineError."""
    return pipeline_text(resolve(asked())) if exists(asked()) else asked()


def choose(name: str) -> None:
    """Look at the pipeline of this name."""
    _go(name, None)


def write(source: str) -> None:
    """Look at what somebody wrote, whether it can be read or not."""
    source = source.strip() or NONE
    _go(source, None if exists(source) else _whence())


def change(pipeline: Pipeline) -> None:
    """Look at what an edit made; one that leads back to the named pipeline it came from is that pipeline again."""
    source, whence = pipeline_text(pipeline), _whence()
    if whence and _same(whence, source):
        source, whence = whence, None
    _go(source, whence)


def can_undo() -> bool:
    """Whether there is a change to undo."""
    return any(each != _now() for each in state.get(_UNDO) or [])


def can_redo() -> bool:
    """Whether there is an undone change to do again."""
    return bool(state.get(_REDO))


def undo() -> None:
    """Take the last change back."""
    _step(_UNDO, _REDO)


def redo() -> None:
    """Do the change that was undone last once more."""
    _step(_REDO, _UNDO)


def _step(source: str, target: str) -> None:
    before = list(state.get(source) or [])
    # The back button may have been here already.
    while before and before[-1] == _now():
        before.pop()
    if before:
        state.put(target, [*(state.get(target) or []), _now()][-_MOST:])
        then = before.pop()
        state.put_together({"pipeline": then[0], "from": then[1] or None})
    state.put(source, before)


def _go(source: str, whence: str | None) -> None:
    if [source, whence or ""] == _now():
        return
    state.put(_UNDO, [*(state.get(_UNDO) or []), _now()][-_MOST:])
    state.put(_REDO, [])
    state.put_together({"pipeline": source, "from": whence})


def _now() -> list[str]:
    return [asked(), str(state.get("from") or "")]


def _whence() -> str | None:
    """The name that an edit of the present pipeline comes from."""
    return asked() if exists(asked()) else origin()


def _same(name: str, source: str) -> bool:
    try:
        return pipeline_text(resolve(name)) == source
    except PipelineError:
        return False

"""The operations of a pipeline one at a time, and what becomes of their values when a strength is scaled."""

from collections.abc import Iterator
from dataclasses import dataclass

from bloodapp.augment.operations import OPERATIONS
from bloodapp.augment.pipelines import Pipeline, Step
from bloodapp.augment.pipelines import text as pipeline_text


@dataclass(frozen=True)
class Alone:
    """One operation of a pipeline, taken by itself.

    Attributes:
        step: the operation with its values.
        often: how often an image meets it, 0 to 1: by the choices that it lies in, not by its own draws.
        off: whether it is switched off wherever it stands.
    """

    step: Step
    often: float
    off: bool

    @property
    def pipeline(self) -> Pipeline:
        """The operation as a pipeline of its own."""
        return Pipeline((self.step,))

    @property
    def values(self) -> str:
        """Its values as they would be written, without its name; empty where it takes none."""
        numbered = Step(self.step.name, self.step.numbers)
        return pipeline_text(Pipeline((numbered,))).removeprefix(self.step.name).strip("()")

    @property
    def text(self) -> str:
        """The operation as it would be written."""
        return pipeline_text(self.pipeline)


def alone(pipeline: Pipeline) -> tuple[Alone, ...]:
    """Every operation of a pipeline once with its values, in order: those in choices, and those switched off, too."""
    met: dict[tuple[str, tuple[float, ...]], Alone] = {}
    for step, often, off in _met(pipeline, 1.0, off=False):
        key = (step.name, step.numbers)
        before = met.get(key, Alone(step, 0.0, True))
        share = before.often if off else min(1.0, before.often + often)
        met[key] = Alone(before.step, share, before.off and off)
    return tuple(met.values())


def capped(pipeline: Pipeline, factor: float) -> tuple[str, ...]:
    """The names of the operations that cannot be `factor` times as strong, each once, in order.

    `pipelines.scaled` leaves them at the bound of what the operation takes.
    """
    found = [
        one.step.name
        for one in alone(pipeline)
        if not one.off
        for parameter, value in zip(OPERATIONS[one.step.name].parameters, one.step.numbers, strict=True)
        if parameter.neutral is not None
        and not parameter.low - 1e-9
        <= parameter.neutral + factor * (value - parameter.neutral)
        <= parameter.high + 1e-9
    ]
    return tuple(dict.fromkeys(found))


def _met(pipeline: Pipeline, often: float, *, off: bool) -> Iterator[tuple[Step, float, bool]]:
    for step in pipeline.steps:
        if not step.branches:
            yield step, often, off
            continue
        share = {"oneof": 1 / len(step.branches), "sometimes": step.numbers[0] if step.numbers else 1.0}
        for branch in step.branches:
            yield from _met(branch, often * share.get(step.name, 1.0), off=off or step.name == "off")

"""Pipelines as text: `flip|rotate(15)|oneof(blur(2); noise(20))`, read, written and named.

Grammar (white space is free):

    pipeline  = step { "|" step }            "none" alone is the empty pipeline
    step      = name [ "(" items ")" ]       the name of an operation or of a pipeline, which stands for its text
    items     = [ values ] [ ";" ] [ branches ]
    values    = value { "," value }
    value     = number | word                a word where the operation declares words
    branches  = pipeline { ";" pipeline }

The text round-trips: `parse(text(p)) == p`. A mistake raises PipelineError at its place.
"""

import re
from collections.abc import Mapping
from dataclasses import dataclass, replace

from bloodapp.augment.named import NONE, PIPELINES
from bloodapp.augment.operations import OPERATIONS, Operation, Parameter
from bloodapp.augment.saved import saved_pipelines
from bloodapp.errors import PipelineError

DEEPEST = 20
"""Choices within choices that a text may have: far more than anybody reads, far fewer than Python can follow."""

_TOKEN = re.compile(
    r"\s*(?:(?P<name>[A-Za-z_]\w*)|(?P<number>[-+]?(?:\d+\.?\d*|\.\d+)(?:[eE][-+]?\d+)?)|(?P<sign>[|(),;]))"
)


@dataclass(frozen=True)
class Step:
    """One operation of a pipeline.

    Attributes:
        name: a key of OPERATIONS.
        values: its numbers as given; those left out take their defaults.
        branches: the pipelines inside it.
    """

    name: str
    values: tuple[float, ...] = ()
    branches: tuple["Pipeline", ...] = ()

    @property
    def numbers(self) -> tuple[float, ...]:
        """All numbers of the operation, defaults filled in."""
        parameters = OPERATIONS[self.name].parameters
        return self.values + tuple(p.default for p in parameters[len(self.values) :])


@dataclass(frozen=True)
class Pipeline:
    """Operations applied one after the other.

    Attributes:
        steps: the operations; empty for `none`.
    """

    steps: tuple[Step, ...] = ()


def resolve(name_or_text: str) -> Pipeline:
    """The pipeline that a name, shipped or saved, or a text means; raises PipelineError."""
    return parse(name_or_text)


def names() -> dict[str, str]:
    """Every name that stands for a pipeline and its text: the shipped ones, then the user's own."""
    return {name: named.text for name, named in PIPELINES.items()} | saved_pipelines()


def text(pipeline: Pipeline) -> str:
    """The pipeline as text that `parse` reads back to the same pipeline, names written out."""
    return "|".join(_step_text(step) for step in pipeline.steps) or NONE


def parse(source: str) -> Pipeline:
    """Read a pipeline's text; raises PipelineError that points at the place and names what there is."""
    reader = _Reader(source, names())
    pipeline = reader.pipeline()
    reader.end()
    return pipeline


def scaled(pipeline: Pipeline, factor: float) -> Pipeline:
    """The pipeline with every strength at `factor` of its distance from doing nothing, within its bounds.

    0 gives a pipeline that changes nothing but for choices, 1 the same, 2 twice as strong; numbers that are
    no strengths, and probabilities, stay.
    """
    return Pipeline(tuple(_scaled(step, factor) for step in pipeline.steps))


def operations(pipeline: Pipeline) -> tuple[str, ...]:
    """The names of its operations, each once, in order, also those within others; none of those switched off."""
    found: list[str] = []
    for step in pipeline.steps:
        if step.name != "off":
            found += [step.name, *(name for branch in step.branches for name in operations(branch))]
    return tuple(dict.fromkeys(found))


def mixes(pipeline: Pipeline) -> tuple[str, ...]:
    """The names of its operations that mix images and labels, in order."""
    return tuple(name for name in operations(pipeline) if OPERATIONS[name].mixes)


def uses(pipeline: Pipeline, name: str) -> bool:
    """Whether an operation of that name is in it and not switched off."""
    return name in operations(pipeline)


def idle(step: Step) -> bool:
    """Whether the step does nothing: switched off, or each of its strengths at the value that does nothing."""
    strengths = [
        value == parameter.neutral
        for parameter, value in zip(OPERATIONS[step.name].parameters, step.numbers, strict=True)
        if parameter.neutral is not None
    ]
    return step.name == "off" or (bool(strengths) and all(strengths))


def changes(pipeline: Pipeline) -> bool:
    """Whether it can change any image: some step of it that is not idle, for a choice some branch that it takes."""
    return any(_changes(step) for step in pipeline.steps)


def _changes(step: Step) -> bool:
    if idle(step) or (step.name == "sometimes" and step.numbers[0] == 0):
        return False
    return not step.branches or any(changes(branch) for branch in step.branches)


def _scaled(step: Step, factor: float) -> Step:
    values = tuple(
        _strength(parameter, value, factor)
        for parameter, value in zip(OPERATIONS[step.name].parameters, step.numbers, strict=True)
    )
    return replace(step, values=values, branches=tuple(scaled(branch, factor) for branch in step.branches))


def _strength(parameter: Parameter, value: float, factor: float) -> float:
    if parameter.neutral is None:
        return value
    moved = parameter.neutral + factor * (value - parameter.neutral)
    moved = min(max(moved, parameter.low), parameter.high)
    return float(round(moved)) if parameter.whole else moved


def _step_text(step: Step) -> str:
    parameters = OPERATIONS[step.name].parameters
    values = [_value_text(p, value) for p, value in zip(parameters, step.values, strict=False)]
    parts = [", ".join(values)] if values else []
    parts += [text(branch) for branch in step.branches]
    return f"{step.name}({'; '.join(parts)})" if parts else step.name


def _value_text(parameter: Parameter, value: float) -> str:
    return parameter.words[int(value)] if parameter.words else f"{value:.12g}"


class _Reader:
    """A cursor over the tokens of a pipeline's text."""

    def __init__(self, source: str, known: Mapping[str, str]) -> None:
        self.known = known
        self.depth = 0
        self.tokens: list[tuple[str, str, int]] = []
        place = 0
        while place < len(source.rstrip()):
            match = _TOKEN.match(source, place)
            if not match or match.lastgroup is None:
                place += len(source[place:]) - len(source[place:].lstrip())
                raise PipelineError(f"Character {place + 1}: '{source[place]}' has no meaning here.", place)
            kind = match.lastgroup
            self.tokens.append((kind, match.group(kind), match.start(kind)))
            place = match.end()
        self.tokens.append(("end", "the end of the text", len(source.rstrip())))
        self.at = 0

    def peek(self, sign: str) -> bool:
        return self.tokens[self.at][:2] == ("sign", sign)

    def take(self, sign: str) -> bool:
        found = self.peek(sign)
        self.at += found
        return found

    def fail(self, wanted: str) -> PipelineError:
        _, found, place = self.tokens[self.at]
        return PipelineError(f"Character {place + 1}: expected {wanted}, found {found}.", place)

    def end(self) -> None:
        if self.tokens[self.at][0] != "end":
            raise self.fail("'|' or the end")

    def pipeline(self) -> Pipeline:
        if self.depth > DEEPEST:
            _, _, place = self.tokens[self.at]
            raise PipelineError(f"Character {place + 1}: choices are nested {DEEPEST} deep at most.", place)
        self.depth += 1
        steps = list(self.step())
        while self.take("|"):
            steps += self.step()
        self.depth -= 1
        return Pipeline(tuple(steps))

    def step(self) -> tuple[Step, ...]:
        """The step here; several where a pipeline's name stands for its text, none for `none`."""
        kind, name, place = self.tokens[self.at]
        if kind != "name":
            raise self.fail("an operation's name")
        self.at += 1
        if name in self.known:
            return self.named(name, place)
        if name not in OPERATIONS:
            available = f"{', '.join(sorted(OPERATIONS))}; pipelines: {', '.join(self.known)}"
            raise PipelineError(f"Character {place + 1}: can't find '{name}'. Available: {available}.", place)
        values: tuple[float, ...] = ()
        branches: tuple[Pipeline, ...] = ()
        if self.take("("):
            values = self.values(OPERATIONS[name])
            branches = self.nested()
            if not self.take(")"):
                raise self.fail("')'")
        _check_branches(OPERATIONS[name], len(branches), place)
        return (Step(name, values, branches),)

    def named(self, name: str, place: int) -> tuple[Step, ...]:
        """The steps that a pipeline's name stands for."""
        if name == NONE:
            return ()
        # A saved text that leads back to itself would be looked up without end.
        inside = {other: source for other, source in self.known.items() if other != name}
        reader = _Reader(self.known[name], inside)
        try:
            steps = reader.pipeline().steps
            reader.end()
        except PipelineError as error:
            raise PipelineError(
                f"Character {place + 1}: the pipeline '{name}' cannot be read: {error}", place
            ) from error
        return steps

    def values(self, operation: Operation) -> tuple[float, ...]:
        values: list[float] = []
        while True:
            kind, written, place = self.tokens[self.at]
            parameters = operation.parameters[len(values) :]
            is_word = bool(parameters) and written in parameters[0].words
            if kind != "number" and not is_word:
                if kind == "name" and (values or not operation.branches):  # no pipeline can come here
                    raise self.fail(_wanted(parameters))
                return tuple(values)
            if not parameters:
                raise PipelineError(
                    f"Character {place + 1}: '{operation.name}' takes {_counted(operation)} at most.", place
                )
            values.append(_value(operation, parameters[0], written, place))
            self.at += 1
            if not self.take(","):
                return tuple(values)

    def nested(self) -> tuple[Pipeline, ...]:
        self.take(";")
        branches = []
        while self.tokens[self.at][0] == "name":
            branches.append(self.pipeline())
            if not self.take(";"):
                break
        return tuple(branches)


def _check_branches(operation: Operation, given: int, place: int) -> None:
    wanted = operation.branches
    if (wanted < 2 and given != wanted) or (wanted == 2 and given < 2):
        needs = ("no pipeline", "one pipeline", "two or more pipelines, parted by ';',")[wanted]
        raise PipelineError(
            f"Character {place + 1}: '{operation.name}' takes {needs} inside its brackets.", place
        )


def _counted(operation: Operation) -> str:
    count = len(operation.parameters)
    return f"{count} value{'' if count == 1 else 's'}"


def _wanted(parameters: tuple[Parameter, ...]) -> str:
    if parameters and parameters[0].words:
        return f"{parameters[0].name}, one of {', '.join(parameters[0].words)}"
    return "a number"


def _value(operation: Operation, parameter: Parameter, written: str, place: int) -> float:
    """The value of a number or word, within its bounds."""
    if written in parameter.words:
        return float(parameter.words.index(written))
    value = float(written)
    within = parameter.low <= value <= parameter.high and not (parameter.whole and value != int(value))
    if not within or (parameter.words and not parameter.numbered):
        if parameter.words:
            bounds = f"one of {', '.join(parameter.words)}"
        else:
            whole = "a whole number " if parameter.whole else ""
            bounds = f"{whole}from {parameter.low:g} to {parameter.high:g}"
        raise PipelineError(
            f"Character {place + 1}: {parameter.name} of '{operation.name}' must be {bounds}, not {written}.",
            place,
        )
    return value

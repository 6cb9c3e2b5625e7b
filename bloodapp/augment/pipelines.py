"""Pipelines as text: `flip|rotate(15)|oneof(blur(2); noise(20))`, read, written and named.

Grammar (white space is free):

    pipeline  = step { "|" step }            "none" alone is the empty pipeline
    step      = name [ "(" items ")" ]
    items     = [ numbers ] [ ";" ] [ branches ]
    numbers   = number { "," number }
    branches  = pipeline { ";" pipeline }

The text round-trips: `parse(text(p)) == p`. A mistake raises PipelineError at its place.
"""

import re
from dataclasses import dataclass

from bloodapp.augment.operations import OPERATIONS, Operation
from bloodapp.errors import PipelineError

NONE = "none"
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


@dataclass(frozen=True)
class NamedPipeline:
    """A pipeline that ships with the app.

    Attributes:
        name: as typed.
        title: as read.
        text: the pipeline.
        why: what it is for, in a sentence.
    """

    name: str
    title: str
    text: str
    why: str


_NAMED = (
    NamedPipeline(
        NONE,
        "None",
        NONE,
        "The images as they are: the fastest, and the surest way to fail on another microscope.",
    ),
    NamedPipeline(
        "gentle",
        "Gentle",
        "flip|rotate(180)|shift(0.05)|zoom(0.1)|brightness(0.05)|contrast(0.1)",
        "Turns, small moves and a little light: right for images from the same microscope and stain.",
    ),
    NamedPipeline(
        "mixed",
        "Mixed",
        "flip|rotate(180)|sometimes(0.3; zoom(0.2)|shift(0.08))"
        "|sometimes(0.5; oneof(brightness(0.25)|contrast(0.35); channelshift(0.2); hue(0.08)|saturation(0.4)"
        "; channelshift(0.12)|contrast(0.4)))"
        "|sometimes(0.35; oneof(noise(25); blur(1.6); jpeg(15)|noise(10)))"
        "|sometimes(0.15; cutout(0.35))",
        "Half of the images nearly as they are, half changed in colour, focus or noise: for a short training.",
    ),
    NamedPipeline(
        "robust",
        "Robust",
        "flip"
        "|oneof(none; rotate(180); rotate(180, 1); rotate(180, 2)|shear(0.2); rotate(90, 3)|zoom(0.3, 1)|shift(0.15, 1)"
        "; zoom(0.3)|shift(0.12))"
        "|oneof(none; none; brightness(0.3)|contrast(0.4); channelshift(0.25); hue(0.12)|saturation(0.6)"
        "; channelshift(0.15)|brightness(0.2)|contrast(0.5); grayscale|brightness(0.15); contrast(0.7)|hue(0.5)"
        "; randaugment(0.5, 2))"
        "|oneof(none; none; noise(35); blur(2.2); noise(15)|jpeg(15); jpeg(8); blur(1.2)|noise(20)"
        "; sharpness(0.8)|noise(12))"
        "|sometimes(0.4; cutout(0.45))",
        "Strong, mixed changes of geometry, colour, focus, noise, compression and cover: for images from elsewhere.",
    ),
)

PIPELINES: dict[str, NamedPipeline] = {pipeline.name: pipeline for pipeline in _NAMED}


def resolve(name_or_text: str) -> Pipeline:
    """The pipeline that a name of PIPELINES or a text means; raises PipelineError."""
    named = PIPELINES.get(name_or_text.strip())
    return parse(named.text if named else name_or_text)


def text(pipeline: Pipeline) -> str:
    """The pipeline as text that `parse` reads back to the same pipeline."""
    return "|".join(_step_text(step) for step in pipeline.steps) or NONE


def parse(source: str) -> Pipeline:
    """Read a pipeline's text; raises PipelineError that points at the place and names what there is."""
    reader = _Reader(source)
    pipeline = reader.pipeline()
    reader.end()
    return pipeline


def _step_text(step: Step) -> str:
    parts = [", ".join(f"{value:.12g}" for value in step.values)] if step.values else []
    parts += [text(branch) for branch in step.branches]
    return f"{step.name}({'; '.join(parts)})" if parts else step.name


class _Reader:
    """A cursor over the tokens of a pipeline's text."""

    def __init__(self, source: str) -> None:
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
        steps = [self.step()]
        while self.take("|"):
            steps.append(self.step())
        return Pipeline(tuple(step for step in steps if step is not None))

    def step(self) -> Step | None:
        kind, name, place = self.tokens[self.at]
        if kind != "name":
            raise self.fail("an operation's name")
        if name != NONE and name not in OPERATIONS:
            names = ", ".join(sorted([*OPERATIONS, NONE]))
            raise PipelineError(f"Character {place + 1}: can't find '{name}'. Available: {names}.", place)
        self.at += 1
        values: tuple[float, ...] = ()
        branches: tuple[Pipeline, ...] = ()
        if name != NONE and self.take("("):
            values = self.numbers(OPERATIONS[name])
            branches = self.nested()
            if not self.take(")"):
                raise self.fail("')'")
        if name == NONE:
            return None
        _check_branches(OPERATIONS[name], len(branches), place)
        return Step(name, values, branches)

    def numbers(self, operation: Operation) -> tuple[float, ...]:
        values: list[float] = []
        while self.tokens[self.at][0] == "number":
            _, digits, place = self.tokens[self.at]
            if len(values) == len(operation.parameters):
                raise PipelineError(
                    f"Character {place + 1}: '{operation.name}' takes {len(operation.parameters)} numbers at most.",
                    place,
                )
            parameter = operation.parameters[len(values)]
            value = float(digits)
            if not parameter.low <= value <= parameter.high or (parameter.whole and value != int(value)):
                whole = "a whole number " if parameter.whole else ""
                raise PipelineError(
                    f"Character {place + 1}: {parameter.name} of '{operation.name}' must be {whole}"
                    f"from {parameter.low:g} to {parameter.high:g}, not {digits}.",
                    place,
                )
            values.append(value)
            self.at += 1
            if not self.take(","):
                break
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

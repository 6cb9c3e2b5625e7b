"""Pipelines as text."""

from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from bloodapp.augment.named import PIPELINES
from bloodapp.augment.operations import OPERATIONS, Operation
from bloodapp.augment.pipelines import (
    Pipeline,
    Step,
    changes,
    idle,
    mixes,
    names,
    operations,
    parse,
    resolve,
    scaled,
    text,
    uses,
)
from bloodapp.augment.saved import save_pipeline
from bloodapp.errors import PipelineError


def _numbers(operation: Operation) -> st.SearchStrategy[tuple[float, ...]]:
    each = [
        st.integers(int(p.low), int(p.high)).map(float)
        if p.whole
        else st.floats(p.low, p.high).map(lambda x: float(f"{x:.6g}"))
        for p in operation.parameters
    ]
    return st.integers(0, len(each)).flatmap(lambda n: st.tuples(*each[:n]))


def _steps(branches: st.SearchStrategy[Pipeline]) -> st.SearchStrategy[Step]:
    def step(operation: Operation) -> st.SearchStrategy[Step]:
        low, high = ((0, 0), (1, 1), (2, 4))[operation.branches]
        inside = st.lists(branches, min_size=low, max_size=high).map(tuple)
        return st.builds(Step, st.just(operation.name), _numbers(operation), inside)

    return st.sampled_from([*OPERATIONS.values()]).flatmap(step)


PLAIN = [o for o in OPERATIONS.values() if not o.branches]
LEAF = st.sampled_from(PLAIN).flatmap(lambda o: st.builds(Step, st.just(o.name), _numbers(o)))
LEAVES = st.lists(LEAF, max_size=3).map(lambda steps: Pipeline(tuple(steps)))
PIPES = st.lists(_steps(LEAVES), max_size=5).map(lambda steps: Pipeline(tuple(steps)))


@given(PIPES)
def test_text_round_trips(pipeline: Pipeline) -> None:
    """Whatever pipeline there is, its text reads back to it."""
    assert parse(text(pipeline)) == pipeline


@given(st.text(alphabet="abflip()|;,.0123 -", max_size=30))
def test_nonsense_gives_one_sentence_or_a_pipeline(source: str) -> None:
    """No text makes the reader fail in any way but with a PipelineError inside the text."""
    try:
        parse(source)
    except PipelineError as error:
        assert 0 <= error.position <= len(source)


def test_the_design_example_reads() -> None:
    """The example that the documentation gives is a pipeline."""
    steps = parse("flip|rotate(15)|oneof(solarize; contrast(0.2))|randaugment(0.32, 5)").steps
    assert [step.name for step in steps] == ["flip", "rotate", "oneof", "randaugment"]
    assert steps[3].numbers == (0.32, 5)


def test_defaults_fill_in() -> None:
    """Numbers left out take the declared defaults."""
    assert parse("rotate(30)").steps[0].numbers == (30, 0)


@pytest.mark.parametrize(
    ("source", "position", "words"),
    [
        ("flip|flop", 5, "can't find 'flop'. Available: "),
        ("rotate(999)", 7, "from 0 to 180, not 999"),
        ("off(3; flip)", 4, "takes 0 values"),
        ("flip|", 5, "expected an operation's name, found the end"),
        ("rotate(15", 9, "expected ')'"),
        ("oneof(flip)", 0, "two or more pipelines"),
        ("sometimes(0.5)", 0, "takes one pipeline"),
        ("flip|rotate(1.5)|posterize(2.5)", 27, "a whole number from 1 to 8"),
        ("flip ? flop", 5, "'?' has no meaning"),
        ("", 0, "expected an operation's name"),
        ("corrupt(6)", 8, "must be one of any, pixelate"),
        ("off(" * 400 + "flip" + ")" * 400, 84, "nested 20 deep at most"),
        ("rotate(15, blue)", 11, "expected fill, one of mirror, edge, black, white, found blue"),
        ("rotate(15, 4)", 11, "fill of 'rotate' must be one of mirror, edge, black, white, not 4"),
        ("rotate(black)", 7, "found black"),
        ("noise(5, 6, 7)", 9, "one of drawn, fixed, not 6"),
        ("noise(5, fixed, 7)", 16, "'noise' takes 2 values at most"),
        ("oneof(often; flip; none)", 6, "can't find 'often'"),
        ("corrupt(dust)", 8, "one of any, pixelate"),
        ("cutout(-0.1)", 7, "from 0 to 0.7, not -0.1"),
    ],
)
def test_mistakes_point_at_their_place(source: str, position: int, words: str) -> None:
    """A mistake names its place, what was expected and what there is."""
    with pytest.raises(PipelineError) as caught:
        parse(source)
    assert caught.value.position == position
    assert words in str(caught.value)
    assert f"Character {position + 1}" in str(caught.value)


def test_named_pipelines_resolve() -> None:
    """Every named pipeline reads, and a name means its text."""
    for name, named in PIPELINES.items():
        assert resolve(name) == parse(named.text)
        assert named.why and named.title


def test_words_are_read_and_written() -> None:
    """A word stands for its number, and the text says the word."""
    steps = parse(
        "rotate(15, black)|corrupt(bubble, 2)|sometimes(0.3, batch; flip)|oneof(batch; flip; none)"
    ).steps
    assert [step.numbers for step in steps] == [(15, 2), (11, 2), (0.3, 1), (1,)]
    assert parse("rotate(15, 2)") == parse("rotate(15, black)")
    assert (
        text(parse("rotate(15, 2)|oneof(batch; flip; none)")) == "rotate(15, black)|oneof(batch; flip; none)"
    )


def test_every_word_of_every_operation_reads() -> None:
    """Whatever place a word has, it reads to its number."""
    for operation in PLAIN:
        for place, parameter in enumerate(operation.parameters):
            before = [f"{one.default:g}" for one in operation.parameters[:place]]
            for number, word in enumerate(parameter.words):
                (step,) = parse(f"{operation.name}({', '.join([*before, word])})").steps
                assert step.values[place] == number


def test_a_name_stands_for_its_text() -> None:
    """Within a text, on its own or in a branch, a pipeline's name is what it means; `none` is nothing."""
    assert parse("flip|r0c|invert") == parse("flip|scaleabs(1.5, 0)|invert")
    assert parse("oneof(r1a; none)") == parse("oneof(flip|crop(0.3); none)")
    assert parse("none|flip|none") == parse("flip") and parse("none") == Pipeline()
    assert text(parse("r0d|none")) == "randaugment(0.32, 5)"


def test_what_is_switched_off_stays_in_the_text() -> None:
    """`off` keeps its inside, and counts for nothing."""
    pipeline = parse("off(noise(12)|cutmix)|flip")
    assert text(pipeline) == "off(noise(12)|cutmix)|flip"
    assert operations(pipeline) == ("flip",) and mixes(pipeline) == ()
    assert not uses(pipeline, "noise") and uses(pipeline, "flip")
    assert idle(pipeline.steps[0]) and not idle(pipeline.steps[1])


def test_operations_and_mixes_are_found_within_branches() -> None:
    """Each once, in order."""
    pipeline = parse("flip|sometimes(0.5; oneof(stain; mixup; flip|cutmix))|stain")
    assert operations(pipeline) == ("flip", "sometimes", "oneof", "stain", "mixup", "cutmix")
    assert mixes(pipeline) == ("mixup", "cutmix")
    assert uses(pipeline, "stain") and not uses(pipeline, "invert")


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("rotate(0)|noise(0, fixed)|flip(0)|solarize(256)|jpeg(100)|posterize(8)|scaleabs(1, 0)", True),
        ("rotate(1)", False),
        ("jitter(0, 0, 0, 0.1)", False),
        ("jitter(0, 0, 0, 0)|randaugment(0, 3)|cutmix(0)|corrupt(bubble, 0)", True),
        ("scaleabs(1, 1)", False),
        ("off(invert)", True),
        ("sometimes(0; flip)", False),  # a choice has no strength: it draws, and then does nothing
    ],
)
def test_idle_steps_are_those_without_any_strength(source: str, expected: bool) -> None:
    """Each strength at the value that does nothing, or switched off."""
    assert all(idle(step) for step in parse(source).steps) is expected


@pytest.mark.parametrize(
    ("source", "expected"),
    [
        ("none", False),
        ("flip(0)|flip", True),
        ("sometimes(0.5; flip(0))", False),
        ("sometimes(0; flip)", False),
        ("sometimes(0.1, batch; flip(0)|invert)", True),
        ("oneof(none; noise(0); off(flip))", False),
        ("oneof(none; sometimes(0.5; oneof(flip(0); rotate(5))))", True),
        ("off(flip)|oneof(none; sometimes(0; rotate(5)))", False),
    ],
)
def test_a_pipeline_changes_images_where_some_branch_does(source: str, expected: bool) -> None:
    """Choices are looked into, at any depth; what is never taken changes nothing."""
    assert changes(parse(source)) is expected


def test_scaling_moves_strengths_from_doing_nothing() -> None:
    """Every strength at a part of its distance from neutral, words and chances kept, whole numbers whole."""
    source = "rotate(40, black)|jpeg(30)|solarize(56)|scaleabs(1.5, 20)|corrupt(bubble, 4)|sometimes(0.3; noise(12))"
    half = parse(
        "rotate(20, black)|jpeg(65)|solarize(156)|scaleabs(1.25, 10)|corrupt(bubble, 2)|sometimes(0.3; noise(6))"
    )
    assert text(scaled(parse(source), 0.5)) == text(
        Pipeline(tuple(Step(one.name, one.numbers, _filled(one)) for one in half.steps))
    )
    assert text(scaled(parse("rotate(120)|posterize(2)"), 2)) == "rotate(180, mirror)|posterize(1)"


def _filled(step: Step) -> tuple[Pipeline, ...]:
    """A step's branches with all their numbers written out."""
    return tuple(
        Pipeline(tuple(Step(one.name, one.numbers, _filled(one)) for one in branch.steps))
        for branch in step.branches
    )


@settings(max_examples=30)
@given(PIPES)
def test_scaling_keeps_within_bounds(pipeline: Pipeline) -> None:
    """At 1 numbers are as they were; at any factor the text still reads; at 0 no strength is left."""
    for factor in (0, 0.3, 1, 3):
        moved = scaled(pipeline, factor)
        assert len(parse(text(moved)).steps) == len(pipeline.steps)
        assert operations(moved) == operations(pipeline)
    for one, other in zip(scaled(pipeline, 1).steps, pipeline.steps, strict=True):
        assert one.numbers == pytest.approx(other.numbers, abs=1e-9)
    choices = ("oneof", "sometimes")
    assert all(idle(one) for one in scaled(pipeline, 0).steps if one.name not in choices)


def test_saved_pipelines_are_names(home: Path) -> None:
    """A saved name reads as its text; one that leads back to itself is an error and no endless search."""
    save_pipeline("mine", "flip|noise(5)")
    assert names()["mine"] == "flip|noise(5)"
    assert parse("mine|invert") == parse("flip|noise(5)|invert")
    save_pipeline("round", "flip|mine")
    save_pipeline("mine", "flip|invert")
    assert parse("round") == parse("flip|flip|invert"), "a name means what it means now"
    save_pipeline("mine", "invert|round")
    with pytest.raises(PipelineError, match=r"the pipeline 'round' cannot be read: .*can't find 'round'"):
        parse("round")

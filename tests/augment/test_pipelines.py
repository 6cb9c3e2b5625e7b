"""Pipelines as text."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloodapp.augment.named import PIPELINES
from bloodapp.augment.operations import OPERATIONS, Operation
from bloodapp.augment.pipelines import Pipeline, Step, parse, resolve, text
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

"""Editing pipelines: every edit keeps what it does not touch, and its opposite brings the pipeline back."""

import pytest
from hypothesis import given
from hypothesis import strategies as st

from bloodapp.augment.editing import (
    add_branch,
    at,
    change,
    fresh,
    insert,
    inside,
    move,
    perform,
    remove,
    remove_branch,
    switch,
)
from bloodapp.augment.operations import OPERATIONS
from bloodapp.augment.pipelines import Pipeline, Step, parse, text
from bloodapp.errors import InvalidValue

_PLAIN = [name for name, operation in OPERATIONS.items() if not operation.branches]
_CHOICES = [name for name, operation in OPERATIONS.items() if operation.branches]


def _pipelines(steps: st.SearchStrategy[Step], least: int = 0) -> st.SearchStrategy[Pipeline]:
    return st.lists(steps, min_size=least, max_size=4).map(lambda found: Pipeline(tuple(found)))


def _choices(inner: st.SearchStrategy[Step]) -> st.SearchStrategy[Step]:
    def choice(name: str) -> st.SearchStrategy[Step]:
        least = OPERATIONS[name].branches
        branches = st.lists(_pipelines(inner), min_size=least, max_size=1 if least == 1 else 3).map(tuple)
        return st.builds(Step, st.just(name), st.just(()), branches)

    return st.sampled_from(_CHOICES).flatmap(choice)


STEPS = st.recursive(st.sampled_from(_PLAIN).map(Step), _choices, max_leaves=8)
PIPELINES = _pipelines(STEPS, least=1)


def paths(pipeline: Pipeline, above: tuple[int, ...] = ()) -> list[tuple[int, ...]]:
    """The paths of all steps."""
    found = []
    for place, step in enumerate(pipeline.steps):
        found.append((*above, place))
        for number, branch in enumerate(step.branches):
            found += paths(branch, (*above, place, number))
    return found


@st.composite
def places(draw: st.DrawFn) -> tuple[Pipeline, tuple[int, ...]]:
    """A pipeline and the path of one of its steps."""
    pipeline = draw(PIPELINES)
    return pipeline, draw(st.sampled_from(paths(pipeline)))


@given(places())
def test_moving_up_and_down_again_changes_nothing(place: tuple[Pipeline, tuple[int, ...]]) -> None:
    """A step that moves one place and back is where it was; at the end of its list it stays."""
    pipeline, path = place
    count = len(inside(pipeline, path[:-1]).steps)
    for by in (-1, 1):
        to = path[-1] + by
        moved = move(pipeline, path, by)
        assert parse(text(moved)) == moved
        if 0 <= to < count:
            assert at(moved, (*path[:-1], to)) == at(pipeline, path)
            assert move(moved, (*path[:-1], to), -by) == pipeline
        else:
            assert moved == pipeline


@given(places())
def test_off_and_on_again_restores_the_step(place: tuple[Pipeline, tuple[int, ...]]) -> None:
    """A step that is switched off keeps everything inside its text and comes back as it was."""
    pipeline, path = place
    step = at(pipeline, path)
    switched = switch(pipeline, path)
    assert parse(text(switched)) == switched
    if step.name == "off":
        back = switched
        for _ in range(len(step.branches[0].steps) - 1):
            back = remove(back, path)
    else:
        assert at(switched, path).name == "off"
        assert text(Pipeline((step,))) in text(switched)
        assert switch(switched, path) == pipeline


@given(places(), st.sampled_from([*OPERATIONS]))
def test_what_is_put_in_can_be_taken_out(place: tuple[Pipeline, tuple[int, ...]], name: str) -> None:
    """A new step stands at its place, everything round-trips as text, and removing it restores the pipeline."""
    pipeline, path = place
    put = insert(pipeline, path, fresh(name))
    assert at(put, path) == fresh(name)
    assert parse(text(put)) == put
    assert remove(put, path) == pipeline


@given(places(), st.data())
def test_changing_a_number_changes_that_number_alone(
    place: tuple[Pipeline, tuple[int, ...]], data: st.DataObject
) -> None:
    """The number is the one asked for, the other numbers and steps stay, and the text says all of it."""
    pipeline, path = place
    step = at(pipeline, path)
    declared = OPERATIONS[step.name].parameters
    if not declared:
        with pytest.raises(InvalidValue):
            change(pipeline, path, 0, 1)
        return
    which = data.draw(st.integers(0, len(declared) - 1))
    one = declared[which]
    value = float(
        data.draw(st.integers(int(one.low), int(one.high)) if one.whole else st.floats(one.low, one.high))
    )
    changed = change(pipeline, path, which, value)
    assert parse(text(changed)) == changed
    wanted = list(step.numbers)
    wanted[which] = float(f"{value:.12g}")
    assert list(at(changed, path).numbers) == wanted
    assert paths(changed) == paths(pipeline)
    with pytest.raises(InvalidValue):
        change(pipeline, path, which, one.high + 1)


def test_branches_come_and_go() -> None:
    """A choice takes a further branch that changes nothing yet; two always remain."""
    pipeline = parse("flip|oneof(noise; blur)")
    more = add_branch(pipeline, (1,))
    assert text(more) == "flip|oneof(noise; blur; none)"
    assert text(insert(more, (1, 2, 0), fresh("hue"))) == "flip|oneof(noise; blur; hue)"
    assert text(remove_branch(more, (1, 0))) == "flip|oneof(blur; none)"
    for broken in (lambda: remove_branch(pipeline, (1, 0)), lambda: add_branch(pipeline, (0,))):
        with pytest.raises(InvalidValue):
            broken()


def test_edits_of_the_page_are_performed() -> None:
    """Each act by its name, one after the other."""
    pipeline = parse("rotate(15)|oneof(noise; blur)")
    for edit, wanted in (
        ({"act": "change", "path": [0], "parameter": 1, "value": 2}, "rotate(15, black)|oneof(noise; blur)"),
        ({"act": "switch", "path": [0]}, "off(rotate(15, black))|oneof(noise; blur)"),
        (
            {"act": "change", "path": [0, 0, 0], "parameter": 0, "value": 20},
            "off(rotate(20, black))|oneof(noise; blur)",
        ),
        ({"act": "move", "path": [0], "by": 1}, "oneof(noise; blur)|off(rotate(20, black))"),
        (
            {"act": "insert", "path": [0, 1, 1], "name": "sometimes"},
            "oneof(noise; blur|sometimes(none))|off(rotate(20, black))",
        ),
        (
            {"act": "add_branch", "path": [0]},
            "oneof(noise; blur|sometimes(none); none)|off(rotate(20, black))",
        ),
        ({"act": "remove_branch", "path": [0, 1]}, "oneof(noise; none)|off(rotate(20, black))"),
        ({"act": "remove", "path": [1]}, "oneof(noise; none)"),
    ):
        pipeline = perform(pipeline, edit)
        assert text(pipeline) == wanted


@pytest.mark.parametrize(
    "edit",
    [
        {},
        {"act": "explode", "path": [0]},
        {"act": "remove", "path": []},
        {"act": "remove", "path": [7]},
        {"act": "remove", "path": [-1]},
        {"act": "remove", "path": [0, 0, 0]},
        {"act": "remove", "path": "x"},
        {"act": "remove_branch", "path": [0]},
        {"act": "insert", "path": [9], "name": "flip"},
        {"act": "insert", "path": [0], "name": "unicorn"},
        {"act": "change", "path": [0], "parameter": 5, "value": 1},
        {"act": "change", "path": [0], "parameter": 0, "value": float("nan")},
    ],
)
def test_edits_that_make_no_sense_are_refused(edit: dict) -> None:
    """A message that does not fit the pipeline is a user's mistake, never a crash."""
    with pytest.raises(InvalidValue):
        perform(parse("rotate(15)|flip"), edit)


def test_an_operation_is_added_with_a_value_of_its_own() -> None:
    """A search that finds a value's word adds the operation with that value in one edit."""
    kind = OPERATIONS["corrupt"].parameters[0]
    edit = {
        "act": "insert",
        "path": [1],
        "name": "corrupt",
        "parameter": 0,
        "value": kind.words.index("bubble"),
    }
    assert text(perform(parse("flip"), edit)) == "flip|corrupt(bubble)"

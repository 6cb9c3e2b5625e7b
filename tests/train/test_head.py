"""Heads as text, and the small language that heads and phases are written in."""

import pytest

from bloodapp.errors import InvalidValue, NotFound
from bloodapp.train import calls, head
from bloodapp.train.head import Step


def test_a_head_is_read_in_its_order() -> None:
    """Each step keeps its place, its numbers and its words, whatever order the words stand in."""
    text = "dropout(0.5)|dense(256, he_uniform, relu, l1=1e-5, l2=1e-4)|batchnorm|activation(gelu)|output(l2=1e-3)"
    assert head.parse(text) == (
        Step("dropout", rate=0.5),
        Step("dense", units=256, activation="relu", initialiser="he_uniform", l1=1e-5, l2=1e-4),
        Step("batchnorm"),
        Step("activation", activation="gelu"),
        Step("output", l2=1e-3),
    )
    assert head.parse("dense(units=8, activation=tanh)") == (Step("dense", units=8, activation="tanh"),)
    assert head.parse("") == ()


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("dense(relu, 256)", "dense takes units from 1 to 16384, not relu"),
        ("dense", "dense needs units, from 1 to 16384"),
        ("dense(1.5)", "a whole number of units, not 1.5"),
        ("dense(64, units=32)", "given units twice"),
        ("dense(256, l3=1)", "takes units, activation, initialiser, l1, l2, not l3"),
        ("dense(256, l2=-1)", "'-1' is neither a number nor a word"),
        ("dense(1, relu, he_normal, 3)", "takes 3 values by place, not 4"),
        ("dropout(2)", "dropout takes rate from 0 to 0.95, not 2"),
        ("dropout(0.5, 3)", "takes 1 value by place, not 2"),
        ("batchnorm(3)", "takes no values by place, not 1"),
        ("batchnorm(momentum=0.9)", "takes no values by name, not momentum"),
        ("activation", "activation takes one of linear, relu"),
        ("output|dropout(0.2)", "output comes last"),
        ("dropout(0.5", "head cannot be read"),
        ("dropout(0.5)|3", "'3' is not a step"),
        ("dense(**x)", r"'dense\(\*\*x\)' is not a step"),
        ("dense(True)", "'True' is neither a number nor a word"),
    ],
)
def test_a_mistake_is_told_in_words(text: str, words: str) -> None:
    """What cannot be meant is refused with what the step takes."""
    with pytest.raises(InvalidValue, match=words):
        head.parse(text)


@pytest.mark.parametrize(
    ("text", "known"),
    [
        ("pool", "dropout"),
        ("__import__('os')", "dropout"),
        ("dense(64, swish)", "silu"),
        ("dense(64, 5)", "relu"),
        ("dense(64, activation=he_normal)", "tanh"),
        ("activation(he_normal)", "tanh"),
        ("output(relu)", "he_normal"),
    ],
)
def test_an_unknown_word_names_the_known(text: str, known: str) -> None:
    """A step, activation or initialiser that there is not lists those that there are."""
    with pytest.raises(NotFound, match=known):
        head.parse(text)


def test_calls_are_read_and_never_run() -> None:
    """Values are numbers and words, by place and by name; deep nesting and code are refused, not followed."""
    first, second = calls.read("frozen(15)|skip(124, rate=1e-5, how='slow')", "phases")
    assert (first.name, first.args, dict(first.named)) == ("frozen", (15,), {})
    assert second.args == (124,) and dict(second.named) == {"rate": 1e-5, "how": "slow"}
    for text in ("(" * 10_000, "a.b(1)", "f([1])", "f(x := 1)", "f(1)|lambda: 1", "\0"):
        with pytest.raises(InvalidValue, match="phases"):
            calls.read(text, "phases")


def test_numbers_stay_within_their_bounds() -> None:
    """By place, by name or by default; not-a-number and infinity are out of every bound."""
    (call,) = calls.read("f(2, b=3)", "what")
    assert calls.number(call, 0, "a", None, 0, 9, "what") == 2
    assert calls.number(call, -1, "b", None, 0, 9, "what") == 3
    assert calls.whole(call, 5, "c", 4, 0, 9, "what") == 4
    for text in ("f(10)", "f(nan)", "f(1e999)", "f(word)"):
        with pytest.raises(InvalidValue, match="what: f takes a from 0 to 9"):
            calls.number(*calls.read(text, "what"), 0, "a", None, 0, 9, "what")

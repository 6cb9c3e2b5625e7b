"""Operations one at a time, and which of them are at their limit."""

from bloodapp.augment.named import PIPELINES
from bloodapp.augment.pipelines import changes, parse, resolve
from bloodapp.augment.strengths import alone, capped


def test_every_operation_is_there_once_with_its_values() -> None:
    """Those in choices too; the same with other values again; the same twice once, met as often as both."""
    found = alone(parse("flip|oneof(noise(20); noise(30); noise(20); sometimes(0.5; blur(2)))|off(jpeg(10))"))
    assert [(one.text, round(one.often, 3), one.off) for one in found] == [
        ("flip", 1.0, False),
        ("noise(20)", 0.5, False),
        ("noise(30)", 0.25, False),
        ("blur(2)", 0.125, False),
        ("jpeg(10)", 0.0, True),
    ]
    assert [one.values for one in found] == ["0.5, both", "20, drawn", "30, drawn", "2", "10"]
    assert alone(parse("none")) == ()


def test_what_is_on_somewhere_is_not_off() -> None:
    """An operation that is switched off in one place and on in another counts as on."""
    (only,) = alone(parse("off(noise(20))|sometimes(0.3; noise(20))"))
    assert not only.off
    assert only.often == 0.3


def test_values_beyond_their_bounds_are_capped() -> None:
    """Named are the operations that cannot be so much stronger; not those that are switched off."""
    pipeline = parse("rotate(100)|noise(20)|off(blur(5))|jpeg(30)")
    assert capped(pipeline, 1) == ()
    assert capped(pipeline, 1.5) == ("jpeg",)  # 100 − 1.5 · 70 is below the lowest quality
    assert capped(pipeline, 2) == ("rotate", "jpeg")


def test_still_pipelines_change_nothing() -> None:
    """None, what is switched off, and strengths at their neutral values, in choices too."""
    assert not changes(parse("none"))
    assert not changes(parse("off(noise)|oneof(none; blur(0))|rotate(0)"))
    assert changes(parse("oneof(none; blur(1))"))
    for name in PIPELINES:
        assert changes(resolve(name)) == (name != "none")

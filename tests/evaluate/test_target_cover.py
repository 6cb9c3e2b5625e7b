"""What pipelines cover: known ranges, the smallest that covers first, and what is built for a gap."""

import numpy as np
import pytest

from bloodapp.augment.pipelines import operations, parse
from bloodapp.augment.saved import save_pipeline
from bloodapp.evaluate.target_cover import (
    BUILT,
    OWN,
    SAVED,
    SHARE,
    SLACK,
    Candidate,
    Cover,
    advised,
    built,
    candidates,
    cover,
    ends,
    likeness,
    ordered,
    promising,
    within,
)
from bloodapp.evaluate.target_distance import Gap
from bloodapp.evaluate.target_measures import MEASURES


def moved(key: str, by: float) -> Gap:
    """A measure whose every quantile lies `by` interquartile ranges away."""
    train = (70.0, 90.0, 100.0, 110.0, 130.0)
    return Gap(key, train, tuple(value + 20 * by for value in train), 20.0, by, abs(by), 0.1)


def of(name: str, least: float, width: float, kind: str = "named", apart: float = 1.0) -> Cover:
    """A pipeline that covers so much of the brightness."""
    ranges = {"brightness": 0.0}
    return Cover(Candidate(name, name, name, kind), {"brightness": least}, ranges, ranges, width, apart)


def test_the_range_holds_what_it_says() -> None:
    """95 of 100 values lie between the ends; NaN are left out on both sides."""
    values = np.append(np.arange(1000.0), np.nan)
    low, high = ends(values)
    assert within(values, low, high) == pytest.approx(0.95, abs=0.002)
    assert np.isnan(within(np.array([np.nan]), 0, 1))
    assert np.isnan(ends(np.array([np.nan]))).all()


def names(covers: list[Cover]) -> list[str]:
    """What they are called."""
    return [one.candidate.name for one in covers]


AS_THEY_ARE = of("plain", 0.0, 1.0, apart=5.6)


def test_the_nearest_that_covers_comes_first() -> None:
    """Those that cover by how near they come; where none does, those that hold half of the images."""
    covers = [
        of("wide", 0.99, 3, apart=1.9),
        of("half", 0.7, 1.1, apart=1.2),
        of("near", 0.92, 3.5, apart=1.6),
        of("poor", 0.2, 1.0, apart=1.1),
    ]
    assert names(advised(covers, AS_THEY_ARE, ["brightness"])) == ["near", "wide"]
    assert names(advised(covers[1::2], AS_THEY_ARE, ["brightness"])) == ["half"]


def test_what_comes_no_nearer_than_before_is_not_advised() -> None:
    """As far as the images as they are, as the run's own, or large: it covers, and is left out, but listed."""
    covers = [
        of("own", 0.5, 2, OWN, apart=3.0),
        of("r4", 0.99, 2.4, apart=5.8),
        of("solarize", 1, 2, apart=12.2),
    ]
    covers += [of("better", 0.99, 2, apart=2.5), of("as own", 0.99, 2, apart=3.0)]
    assert names(advised(covers, AS_THEY_ARE, ["brightness"])) == ["better"]
    assert names(ordered(covers, AS_THEY_ARE, ["brightness"])) == [
        "better",
        "own",
        "as own",
        "r4",
        "solarize",
    ]
    far = of("plain", 0.0, 1.0, apart=30)
    assert advised([of("large", 1.0, 2, apart=6.0)], far, ["brightness"]) == []


def test_what_makes_no_image_like_the_target_is_no_answer() -> None:
    """A pipeline whose range covers, but none of whose images looks like the target's, stands behind one whose do."""
    covers = [
        of("negative", 0.95, 1.2, apart=4),
        of("light", 0.95, 2.0, apart=1.2),
        of("far", 0.5, 1, apart=1),
    ]
    assert names(advised(covers, AS_THEY_ARE, ["brightness"])) == ["light"]


def test_the_runs_own_is_enough_where_it_covers() -> None:
    """Nothing has to be trained anew for what the run has learned already."""
    covers = [of("small", 0.95, 1.1, apart=1.1), of("own", 0.91, 2.0, OWN, apart=1.4)]
    assert advised(covers, AS_THEY_ARE, ["brightness"])[0].candidate.kind == OWN
    covers = [of("small", 0.95, 1.1, apart=1.1), of("own", 0.5, 2.0, OWN, apart=1.4)]
    assert names(advised(covers, AS_THEY_ARE, ["brightness"])) == ["small"]


def test_a_first_look_passes_over_hardly_anything_that_is_advised() -> None:
    """Fewer draws lie farther away, and shares are rougher: of 500 drops at most 5 lose one of the advised to that.

    Less than half is left to be drawn on more.
    """
    rng, left, lost = np.random.default_rng(0), [], 0
    for _ in range(500):
        truth = [
            of(f"{number}", rng.uniform(0.3, 1), 2, OWN if number == 0 else "named", float(rng.uniform(1, 8)))
            for number in range(20)
        ]
        looks = [
            of(
                one.candidate.name,
                one.least(["brightness"]) + rng.uniform(-SHARE, SHARE) / 3,
                2,
                one.candidate.kind,
                one.apart * float(rng.uniform(1, SLACK)),
            )
            for one in truth
        ]
        plain = of("plain", 0.0, 1.0, apart=AS_THEY_ARE.apart * float(rng.uniform(1, SLACK)))
        found = {*names(promising(looks, plain, ["brightness"]))}
        assert "0" in found, "the run's own is always drawn on more"
        lost += not {*names(advised(truth, AS_THEY_ARE, ["brightness"]))} <= found
        left.append(len(found))
    assert lost <= 5
    assert np.mean(left) < 10


def test_what_is_built_moves_what_moved() -> None:
    """Softer and bluer-dyed images get blur and stain, from gentle to strong; nothing moved, nothing is built."""
    texts = built([moved("sharpness", -2), moved("azure", 1)])
    assert len(texts) == 4
    assert all({"blur", "stain"} <= set(operations(parse(text))) for text in texts)
    assert built([moved("sharpness", 2)])[0].endswith("|sharpness(0.4)")
    assert built([moved("features", 2)]) == []
    assert built([]) == []


def test_a_lamp_is_built_as_a_factor() -> None:
    """Half the light everywhere: strengths from none to a little darker than the darkest, and their ladder."""
    train = (80.0, 95.0, 100.0, 105.0, 120.0)
    half = Gap("brightness", train, tuple(value / 2 for value in train), 10.0, -5.0, 5.0, 0.1)
    step = parse(built([half])[1]).steps[-1]
    factors = [branch.steps[0].values[0] if branch.steps else 1.0 for branch in step.branches]
    assert factors == pytest.approx([1, 0.808, 0.617, 0.425], abs=0.001)


def test_nothing_that_is_built_destroys_the_image() -> None:
    """Of a lamp at a twentieth no strength goes below 0.3, nor over 2 of a bright one; noise and blur have an end."""
    train = (80.0, 95.0, 100.0, 105.0, 120.0)
    for times in (0.05, 0.5, 3.0):
        lamp = Gap("brightness", train, tuple(value * times for value in train), 10.0, -5.0, 5.0, 0.1)
        for text in built([lamp]):
            factors = [one.steps[0].values[0] for one in parse(text).steps[-1].branches if one.steps]
            assert min(factors) >= 0.3 and max(factors) <= 2
    strongest = built([moved("noise", 2), moved("sharpness", -2)])[-1]
    assert "noise(30, drawn)" in strongest and "blur(3)" in strongest


def test_every_measure_has_its_operations() -> None:
    """What is written beside a measure is a pipeline, for less and for more of it."""
    for key in MEASURES:
        for by in (-2.0, 2.0):
            assert built([moved(key, by)]), key


@pytest.mark.usefixtures("home")
def test_candidates_are_what_there_is() -> None:
    """The run's own first, then those built, saved and shipped; each once, none that does nothing or cannot be read."""
    save_pipeline("mine", "blur(1.25)")
    save_pipeline("again", "flip|brightness(0.2)")
    found = candidates([moved("brightness", -3)], "flip|brightness(0.2)")
    assert found[0].kind == OWN
    assert next(one.text for one in found if one.kind == BUILT).startswith(
        "flip|quarterturn|oneof(image; none; scaleabs("
    )
    assert [one.name for one in found if one.kind == SAVED] == ["mine"]
    assert len({one.text for one in found}) == len(found)
    assert "none" not in [one.name for one in found]
    assert candidates([], "none")[0].kind != OWN


def test_a_cover_is_measured_against_the_draws() -> None:
    """Draws twice as wide cover what the images as they are do not, and are twice as wide in that measure alone."""
    rng = np.random.default_rng(0)
    plain = rng.normal(100, 30, (500, len(MEASURES)))
    drawn = plain.copy()
    drawn[:, 0] = 100 + 2 * (plain[:, 0] - 100)
    target = plain[:200].copy()
    target[:, 0] = rng.normal(185, 5, 200)
    usual = likeness(plain, np.arange(250), np.full(len(MEASURES), 40.0))
    assert usual.apart(plain[250:], plain[:250]) == pytest.approx(1)
    found = cover(Candidate("x", "x", "flip", "named"), drawn, plain, target, usual)
    assert found.apart < usual.apart(target, plain)
    assert found.shares["brightness"] > 0.95
    assert found.shares["contrast"] == pytest.approx(0.95, abs=0.03)
    assert found.width == pytest.approx(2 ** (1 / len(MEASURES)), rel=0.02)

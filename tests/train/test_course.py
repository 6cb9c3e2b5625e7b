"""What the scores of an epoch mean for the best, for patience, for plateaus and for the next phase."""

from dataclasses import replace

import pytest

from bloodapp.errors import InvalidValue
from bloodapp.train.course import Course, Scores
from bloodapp.train.recipe import Recipe
from bloodapp.train.recipes import RECIPES
from bloodapp.train.settings import with_settings

BASE = replace(RECIPES["r4"], epochs=10, phases="full", patience=0, plateau=0, score="accuracy", warmup=0.0)


def after(recipe: Recipe, *scores: float | Scores, seconds: float = 1.0) -> Course:
    """The course after epochs with these scores; a number is an accuracy."""
    course = Course(recipe)
    for number, score in enumerate(scores, start=1):
        each = score if isinstance(score, Scores) else Scores(score, score, 1 - score)
        course.epoch_ended(each, elapsed=number * seconds, speed=100.0, size=32)
    return course


def test_the_best_epoch_is_that_of_the_recipes_score() -> None:
    """Clean accuracy, clean and shifted in equal parts, or the least loss; what is no number is never the best."""
    epochs = (
        Scores(0.9, 0.1, 0.9),
        Scores(0.8, 0.8, 0.7),
        Scores(0.7, 0.2, 0.3),
        Scores(0.6, 0.2, float("nan")),
    )
    for score, best in (("accuracy", 1), ("both", 2), ("loss", 3)):
        assert after(replace(BASE, score=score), *epochs).best_epoch == best


def test_patience_ends_a_training_without_a_better_score() -> None:
    """After so many epochs that are no better than the best before."""
    recipe = replace(BASE, patience=2)
    assert not after(recipe, 0.5, 0.6, 0.6).finished
    course = after(recipe, 0.5, 0.6, 0.6, 0.55)
    assert course.finished and course.best_epoch == 2


def test_a_plateau_lowers_the_rate() -> None:
    """Again after as many further epochs without a better loss."""
    recipe = replace(BASE, plateau=2, plateau_factor=0.1, schedule="constant", learning_rate=1.0)
    rates = [after(recipe, *([0.5] * epochs)).rate() for epochs in range(6)]
    assert rates == pytest.approx([1, 1, 1, 0.1, 0.1, 0.01])
    assert after(recipe, 0.5, 0.5, 0.6, 0.5).scale == 1


def test_phases_follow_one_another_with_their_own_rates() -> None:
    """Each for its epochs; the last takes what is left."""
    recipe = replace(BASE, epochs=6, phases="frozen(2, rate=0.5)|last(3, 1)|full", schedule="constant")
    course, seen = Course(recipe), []
    while not course.finished:
        seen.append((course.phase, course.rate()))
        course.epoch_ended(Scores(0.5, 0.5, 0.5), elapsed=1, speed=1, size=32)
    rate = recipe.learning_rate
    assert seen == [(0, 0.5), (0, 0.5), (1, rate), (2, rate), (2, rate), (2, rate)]


def test_an_impatient_phase_makes_room_for_the_next() -> None:
    """It does not end the training, whose best stays; the next has its own patience and plateau."""
    recipe = replace(BASE, phases="frozen(5)|full", patience=2, plateau=1, plateau_factor=0.5)
    course = after(recipe, 0.9, 0.8, 0.8)
    assert (course.phase, course.phase_epoch, course.waited, course.scale) == (1, 0, 0, 1.0)
    assert not course.finished and course.best_epoch == 1
    course = after(recipe, 0.9, 0.8, 0.8, 0.5, 0.6, 0.6)
    assert not course.finished and course.best_epoch == 1, "the phase's own best counts for its patience"
    assert after(recipe, 0.9, 0.8, 0.8, 0.5, 0.6, 0.6, 0.6).finished


def test_the_plan_grows_shorter_where_a_phase_ends_early() -> None:
    """Where the last phase says how long it is; else it takes what is left."""
    recipe = replace(BASE, epochs=20, phases="frozen(10)|full(5)", patience=2)
    assert Course(recipe).planned == 15
    course = after(recipe, 0.9, 0.8, 0.8)
    assert course.planned == 8 and course.share() == pytest.approx(3 / 8)
    assert after(replace(recipe, phases="frozen(10)|full"), 0.9, 0.8, 0.8).planned == 20


def test_unfreezing_goes_from_the_head_down() -> None:
    """In so many phases of so many epochs, the last of them with all layers."""
    course = Course(replace(BASE, epochs=8, phases="unfreeze(4, 2)"))
    assert [phase.learns(20) for phase in course.phases] == [0, 5, 10, 15, 20]
    assert course.planned == 8


def test_minutes_count_as_a_share_and_end_it() -> None:
    """Whichever is further, epochs or minutes."""
    recipe = replace(BASE, epochs=100, minutes=1.0)
    assert after(recipe, 0.5, seconds=30.0).share() == pytest.approx(0.5)
    assert not after(recipe, 0.5, seconds=30.0).finished
    assert after(recipe, 0.5, 0.5, seconds=30.0).finished


def test_a_course_read_back_stands_where_it_stood() -> None:
    """Through plain JSON."""
    recipe = replace(BASE, phases="frozen(5)|full", patience=2, plateau=1)
    course = after(recipe, 0.9, 0.8, 0.8, 0.5)
    assert Course.read(recipe, {"format": 1, "last": "last-4.npz", **course.written()}) == course


def test_a_flattened_map_keeps_one_size() -> None:
    """Smaller images first, but for networks that take one size only."""
    recipe = replace(BASE, size=96, small_size=48, small_share=0.5)
    assert [after(recipe, *([0.5] * epochs)).size() for epochs in (0, 4, 5)] == [48, 48, 96]
    assert Course(replace(recipe, pooling="flatten", resize=96)).size() == 96


@pytest.mark.parametrize(
    ("settings", "words"),
    [
        ({"loss": "sparse", "pipeline": "flip|cutmix"}, "cutmix mixes them: set loss to categorical"),
        ({"phases": "frozen(10)|full"}, "epochs=10 never reaches it"),
    ],
)
def test_what_does_not_fit_together_is_refused(settings: dict[str, str], words: str) -> None:
    """In a sentence that says what to change."""
    with pytest.raises(InvalidValue, match=words):
        with_settings(BASE, settings)

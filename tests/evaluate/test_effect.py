"""The comparison before and after: known answers from hand-made arrays, and pairs found in the runs' files."""

import json

import numpy as np
import pytest
from scipy.stats import binomtest

from bloodapp.data.dataset import Dataset
from bloodapp.errors import InvalidValue, NotFound
from bloodapp.evaluate import metrics
from bloodapp.evaluate.effect import (
    Pair,
    compared,
    effect,
    pair_of,
    pairs,
    points,
    report,
    sentence,
    verdict,
)
from bloodapp.runs.predictions import Predictions, write_predictions
from bloodapp.runs.run import Run
from tests.made import make_run

KEYS = ["a", "b"]


def answers(both: int, mended: int, broken: int, neither: int) -> tuple[np.ndarray, np.ndarray, np.ndarray]:
    """Labels (all 0) and two models' answers with these counts of right and wrong."""
    before = np.repeat([0, 1, 0, 1], [both, mended, broken, neither])
    after = np.repeat([0, 0, 1, 1], [both, mended, broken, neither])
    return np.zeros(len(before), int), before, after


def test_the_change_and_its_counts() -> None:
    """Thirty-seven images went right and twelve wrong: 25 of 1,000, with an interval near the textbook's."""
    one = metrics.paired(*answers(900, 37, 12, 51))
    assert (one.mended, one.broken, one.n) == (37, 12, 1000)
    assert one.before.value == pytest.approx(0.912)
    assert one.after.value == pytest.approx(0.937)
    assert one.change.value == pytest.approx(0.025)
    half = 1.96 * np.sqrt(49 / 1000 - 0.025**2) / np.sqrt(1000)
    assert one.change.low == pytest.approx(0.025 - half, abs=0.003)
    assert one.change.high == pytest.approx(0.025 + half, abs=0.003)
    assert verdict(one) == "helped"


def test_the_interval_keeps_the_pairs_together() -> None:
    """Where both models fail on the same images, the change is known far better than either accuracy."""
    one = metrics.paired(*answers(500, 20, 0, 480))
    width = one.change.high - one.change.low
    assert width < 0.5 * (one.after.high - one.after.low)


@pytest.mark.parametrize("seed", range(30))
def test_it_claims_no_more_than_mcnemars_exact_test(seed: int) -> None:
    """Whenever the interval leaves out 0, the exact test of the images that changed sides rejects at 5 %."""
    rng = np.random.default_rng(seed)
    mended, broken = rng.integers(0, 14, 2).tolist()
    one = metrics.paired(*answers(int(rng.integers(1, 200)), mended, broken, 5))
    assert one.change.low <= one.change.value <= one.change.high
    if one.change.low > 0 or one.change.high < 0:
        assert binomtest(mended, mended + broken).pvalue < 0.05


def test_five_of_five_is_no_proof() -> None:
    """The bootstrap alone would call this a gain; the exact test does not (p = 0.06), and neither do we."""
    one = metrics.paired(*answers(90, 5, 0, 5))
    assert verdict(one) == "open"
    assert sentence(one, "test").startswith("No difference that these 100 test images can show: +5.0 points")


def test_nothing_changed_is_not_known_for_sure() -> None:
    """Equal answers on 30 images leave room for one in nine, on 3,000 for one in 800."""
    few, many = metrics.paired(*answers(30, 0, 0, 0)), metrics.paired(*answers(3000, 0, 0, 0))
    assert few.change.value == many.change.value == 0
    assert few.change.high == pytest.approx(0.116, abs=0.001) and few.change.low == -few.change.high
    assert many.change.high == pytest.approx(0.00123, abs=0.0001)


def test_no_images_are_unknown_and_no_warning() -> None:
    """Nothing to compare gives NaN."""
    one = metrics.paired([], [], [])
    assert np.isnan(one.change.value) and one.n == 0
    assert points(one.change.value) == "–"


def test_by_class_known_answers() -> None:
    """Recall and F1 of two classes before and after, by hand."""
    labels = np.repeat([0, 1], [10, 4])
    before = np.array([0] * 6 + [1] * 4 + [1] * 4)
    after = np.array([0] * 9 + [1] * 1 + [1] * 3 + [0] * 1)
    table = metrics.paired_per_class(labels, before, after, KEYS).set_index("class")
    assert table.loc["a", ["support", "mended", "broken"]].tolist() == [10, 3, 0]
    assert table.loc["b", ["support", "mended", "broken"]].tolist() == [4, 0, 1]
    assert table.loc["a", ["recall_before", "recall_after", "recall_change"]].tolist() == pytest.approx(
        [0.6, 0.9, 0.3]
    )
    assert table.loc["b", "f1_before"] == pytest.approx(8 / 12)
    assert table.loc["b", "f1_after"] == pytest.approx(6 / 8)
    for name in ("recall", "f1"):
        assert (table[f"{name}_low"] <= table[f"{name}_change"]).all()
        assert (table[f"{name}_change"] <= table[f"{name}_high"]).all()
    assert table.loc["b", "recall_high"] > 0, "one of four lost says little"


def test_a_class_without_images_is_unknown() -> None:
    """Its recall and its change are NaN, not 0."""
    table = metrics.paired_per_class([0, 0], [0, 0], [0, 0], KEYS)
    assert table.loc[1, ["recall_before", "recall_change", "recall_low", "recall_high"]].isna().all()


def test_one_class_agrees_with_the_whole() -> None:
    """Where all images are of one class, its recall is the accuracy, with the same interval."""
    labels, before, after = answers(60, 9, 3, 8)
    view = compared(labels, before, after, KEYS)
    row = view.per_class.iloc[0]
    assert row["recall_change"] == pytest.approx(view.overall.change.value)
    assert row["recall_low"] == pytest.approx(view.overall.change.low, abs=0.02)


@pytest.mark.parametrize(
    ("counts", "said"),
    [
        ((900, 37, 12, 51), "Cleaning helped in this pair: +2.5 points (95 % interval +"),
        ((900, 12, 37, 51), "Cleaning hurt in this pair: −2.5 points (95 % interval −"),
        ((900, 13, 11, 76), "No difference that these 1,000 validation images can show: +0.2 points"),
    ],
)
def test_the_sentence_says_what_the_interval_says(counts: tuple[int, int, int, int], said: str) -> None:
    """Helped and hurt only where the interval lies on one side of 0."""
    assert sentence(metrics.paired(*answers(*counts)), "val").startswith(said)


def test_an_end_that_reads_as_zero_is_no_proof() -> None:
    """The verdict goes by the figures as they are shown: an interval that reads `0.0 to` claims nothing."""
    interval = metrics.Interval(0.01, 0.0004, 0.02)
    level = metrics.Interval(0.9, 0.88, 0.92)
    one = metrics.Paired(level, level, interval, 9, 1, 800)
    assert verdict(one) == "open" and "95 % interval 0.0 to +2.0" in sentence(one, "test")


def test_points_are_written_with_their_sign() -> None:
    """A true minus, and none before nothing."""
    assert [points(x) for x in (0.018, -0.009, 0.0, -0.0001)] == ["+1.8", "−0.9", "0.0", "0.0"]


def pair(dataset: Dataset, *, name: str = "p", state: str = "done", seq: int = 3) -> tuple[Run, Run]:
    """Two runs made without training that are a pair, judged on the same images."""
    common = {"seed": 1, "seq": seq}
    before = make_run(
        dataset, f"{name}-before", pair=f"{name}-after", decisions="none", right=(0.6, 0.3), **common
    )
    after = make_run(
        dataset, f"{name}-after", pair=f"{name}-before", state=state, right=(0.95, 0.6), **common
    )
    return before, after


def test_a_pair_is_found_by_its_files(tiny: Dataset) -> None:
    """The pairs of the dataset, newest first, both halves, whichever half one asks with."""
    assert pairs(tiny) == []
    old = Pair(*pair(tiny, name="old"))
    before, after = pair(tiny, name="new")
    make_run(tiny, "single")
    found, second = pairs(tiny)
    assert second == old
    assert found == Pair(before, after) == pair_of(before) == pair_of(after)
    assert found.seq == 3 and found.done


def test_half_a_pair_is_none(tiny: Dataset) -> None:
    """When one half is deleted there is nothing to compare; the pair before it is found instead."""
    from bloodapp.jobs.job import delete_job

    old, _ = pair(tiny, name="old")
    before, after = pair(tiny, name="new")
    delete_job(before.job)
    assert pairs(tiny)[0].before == old
    with pytest.raises(NotFound, match="other half"):
        pair_of(after)


def test_a_half_that_was_stopped_is_not_done(tiny: Dataset) -> None:
    """Its figures are there, but it had less of the training."""
    pair(tiny, state="stopped")
    assert not pairs(tiny)[0].done


def test_the_effect_of_two_runs(tiny: Dataset) -> None:
    """Overall, by class, clean and shifted, from the runs' own predictions on the test part."""
    before, after = pair(tiny)
    result = effect(Pair(before, after))
    rows = [run.predictions().only("test") for run in (before, after)]
    assert result.part == "test" and np.array_equal(result.index, rows[0].index)
    for view, name in ((result.clean, "probabilities"), (result.shifted, "shifted")):
        right = [getattr(row, name).argmax(1) == row.label for row in rows]
        assert view.overall.before.value == pytest.approx(right[0].mean())
        assert view.overall.change.value == pytest.approx(right[1].mean() - right[0].mean())
        mended, broken = result.changed(view)
        assert mended.tolist() == np.flatnonzero(~right[0] & right[1]).tolist()
        assert broken.tolist() == np.flatnonzero(right[0] & ~right[1]).tolist()
        assert view.per_class["mended"].sum() == view.overall.mended == len(mended)


def test_runs_that_judge_other_images_are_refused(tiny: Dataset) -> None:
    """Two figures on different images, or under different labels, are no comparison."""
    before, after = pair(tiny)
    said = after.predictions()
    other = Predictions(said.index, said.part, (said.label + 1) % 8, said.probabilities, said.shifted)
    write_predictions(after.folder, other)
    with pytest.raises(InvalidValue, match="do not judge the same images"):
        effect(Pair(before, after))


def test_the_report_is_plain_json(tiny: Dataset) -> None:
    """Everything in it can be written, unknown figures as null."""
    before, after = pair(tiny)
    whole = Pair(before, after)
    content = json.loads(json.dumps(report(whole, effect(whole)), allow_nan=False))
    assert (content["before"], content["after"]) == ("p-before", "p-after")
    assert content["clean"]["change"] == pytest.approx(content["clean"]["after"] - content["clean"]["before"])
    assert [row["class"] for row in content["clean"]["per_class"]] == [c.key for c in tiny.classes]
    assert "95 % interval" in content["sentence"]

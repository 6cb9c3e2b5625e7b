"""Runs compared: tests equal to SciPy's and published examples, intervals, who is counted, who disagrees."""

from dataclasses import replace

import numpy as np
import pytest
from scipy.stats import binom, binomtest

from bloodapp.data.dataset import Dataset
from bloodapp.errors import InvalidValue, NotFound
from bloodapp.evaluate import compare, metrics
from bloodapp.runs.predictions import write_predictions
from bloodapp.runs.run import Run, open_run
from tests.made import forget_dataset_of, make_run


def test_mcnemar_is_the_binomial_test() -> None:
    """Exact as SciPy's two-sided test of one half; mid-p is it less the weight of what was seen."""
    rng = np.random.default_rng(0)
    for first, second in rng.integers(0, 60, (200, 2)).tolist():
        found = compare.mcnemar(first, second)
        if first + second == 0:
            assert found.exact == found.mid == 1
            continue
        assert found.exact == pytest.approx(binomtest(first, first + second).pvalue, abs=1e-12)
        seen = binom.pmf(first, first + second, 0.5)
        assert found.mid == pytest.approx(2 * (binom.cdf(min(first, second), first + second, 0.5) - seen / 2))
        assert found.mid <= found.exact


def test_mcnemar_of_the_published_example() -> None:
    """Bentur et al. (2009) in Fagerland et al. (2013), 1 and 7 of 8: exact 0.070, mid-p 0.039."""
    found = compare.mcnemar(1, 7)
    assert found.exact == pytest.approx(0.0703, abs=5e-5) and found.mid == pytest.approx(0.0391, abs=5e-5)


def test_the_exact_test_keeps_its_level() -> None:
    """Of two models that are equally good it claims a difference in at most 5 of 100 draws, whatever their number."""
    for differ in (5, 12, 40, 130):
        firsts = np.arange(differ + 1)
        rejected = np.array([compare.mcnemar(k, differ - k).exact < compare.LEVEL for k in firsts.tolist()])
        assert binom.pmf(firsts, differ, 0.5)[rejected].sum() <= compare.LEVEL


def test_holm_by_hand() -> None:
    """Smallest times their number, each next times one less, never below the one before, never above 1."""
    assert compare.holm([0.01, 0.04, 0.03, 0.005]) == pytest.approx([0.03, 0.06, 0.06, 0.02])
    assert compare.holm([0.6, 0.9]) == [1.0, 1.0] and compare.holm([0.2]) == [0.2] and compare.holm([]) == []


def test_cochran_for_two_is_mcnemar_squared() -> None:
    """With two models Q is (b - c)² / (b + c); with none that differ it says nothing."""
    right = np.array([[1, 0]] * 9 + [[0, 1]] * 3 + [[1, 1]] * 20 + [[0, 0]] * 4, bool)
    q, p = compare.cochran(right)
    assert q == pytest.approx(36 / 12) and p == pytest.approx(0.083265, abs=1e-6)
    assert compare.cochran(np.ones((5, 3), bool)) == (0.0, 1.0)


def test_the_balanced_difference_is_that_of_the_metrics() -> None:
    """Its value is the difference of the balanced accuracies; equal answers leave the interval of the unseen."""
    rng = np.random.default_rng(3)
    labels, first, second = (rng.integers(0, 4, 300) for _ in range(3))
    found = compare.balanced_difference(labels, first, second, 5)
    one, other = (
        float(metrics.balanced_accuracy(metrics.confusion(labels, answers, 5))) for answers in (first, second)
    )
    assert found.value == pytest.approx(one - other, abs=1e-12) and found.low < found.value < found.high
    same = compare.balanced_difference(labels, first, first, 5)
    assert same.value == 0 and same.low < -0.01 and same.high > 0.01


def test_the_balanced_interval_covers() -> None:
    """Two models of known balanced accuracy, drawn again and again: about 95 of 100 intervals hold the difference."""
    rng, held = np.random.default_rng(7), 0
    for _ in range(150):
        labels = rng.integers(0, 3, 400)
        first, second = (np.where(rng.random(400) < share, labels, (labels + 1) % 3) for share in (0.85, 0.8))
        found = compare.balanced_difference(labels, first, second, 3, draws=400)
        held += found.low <= 0.05 <= found.high
    assert 0.89 <= held / 150 <= 0.99


def test_disagreements_are_who_is_right() -> None:
    """Four kinds that are all images together, the surest wrong answer first."""
    labels = np.array([0, 0, 1, 1, 0])
    first = np.array([[0.9, 0.1], [0.2, 0.8], [0.3, 0.7], [0.6, 0.4], [0.7, 0.3]])
    second = np.array([[0.4, 0.6], [0.9, 0.1], [0.2, 0.8], [0.9, 0.1], [0.1, 0.9]])
    found = compare.disagreements(labels, first, second)
    assert found.first.tolist() == [4, 0] and found.second.tolist() == [1]
    assert found.neither.tolist() == [3] and found.both.tolist() == [2]


def flip(run: Run, rows: int) -> Run:
    """The run's answers, of which the first so many test answers are made wrong."""
    given = run.predictions()
    assert given is not None
    places = np.flatnonzero(given.part == "test")[:rows]
    table = given.probabilities.copy()
    table[places] = np.roll(np.eye(table.shape[1], dtype=np.float32)[given.label[places]], 1, axis=1)
    write_predictions(run.folder, replace(given, probabilities=table))
    return run


def test_only_images_that_nobody_learned_from_count(tiny: Dataset) -> None:
    """With two splits those that both kept aside; their number, and how many were left out."""
    one, other = make_run(tiny, "one", seed=1), make_run(tiny, "other", seed=2)
    splits = [run.split().set_index("index")["part"] for run in (one, other)]
    aside = [set(split.index[split != "train"]) for split in splits]
    on = compare.shared([one, other])
    assert set(on.index.tolist()) == aside[0] & aside[1] and on.left_out == len(aside[0]) - len(on) > 0
    tests = [set(split.index[split == "test"]) for split in splits]
    assert set(on.only(compare.TEST).index.tolist()) == tests[0] & tests[1]
    assert on.only(compare.HELD) is on


def test_differences_tell_who_is_better(tiny: Dataset) -> None:
    """The first is better where it alone is right on many images; p and interval agree, and the sentence says so."""
    one = make_run(tiny, "one", right=(1.0, 1.0))
    other = flip(make_run(tiny, "other", right=(1.0, 1.0)), 12)
    on = compare.shared([one, other]).only(compare.TEST)
    (found,) = compare.differences(on)
    assert found.test.first == 12 and found.test.second == 0
    assert found.overall.change.value == pytest.approx(12 / len(on)) and found.verdict == "better"
    assert found.adjusted == found.test.exact == pytest.approx(2 * 0.5**12)
    assert found.per_class["recall_change"].sum() > 0
    said = compare.sentence(found, "One", "Other")
    assert said.startswith("One is better than Other by ") and said.endswith("p < 0.001.")
    (back,) = compare.differences(compare.shared([other, one]).only(compare.TEST))
    assert back.verdict == "worse" and back.overall.change.value == -found.overall.change.value
    (hard,) = compare.differences(on, under_shift=True)
    assert hard.verdict == "open" and "cannot be told apart under the shift" in compare.sentence(
        hard, "One", "Other", under_shift=True
    )


def test_more_than_two_are_corrected(tiny: Dataset) -> None:
    """Each p-value is Holm's; the order asked for is kept."""
    runs = [make_run(tiny, name, right=(1.0, 1.0)) for name in ("one", "two", "three")]
    flip(runs[1], 6), flip(runs[2], 9)
    found = compare.differences(compare.shared(runs).only(compare.TEST))
    assert [one.second for one in found] == ["two", "three"]
    assert [one.adjusted for one in found] == compare.holm([one.test.exact for one in found])
    assert found[0].adjusted == pytest.approx(2 * 0.5**6) and found[1].adjusted == pytest.approx(4 * 0.5**9)


def test_what_cannot_be_compared_is_said(tiny: Dataset) -> None:
    """No shared image, another dataset, no answers: one sentence each that says what to do."""
    one, other = make_run(tiny, "one"), make_run(tiny, "other")
    split = other.split()
    split["part"] = "train"
    split.to_parquet(other.folder / "split.parquet")
    with pytest.raises(InvalidValue, match=r"same split.*another dataset"):
        compare.shared([one, other])
    forget_dataset_of(other)
    with pytest.raises(InvalidValue, match="different datasets"):
        compare.shared([one, open_run("other")])
    with pytest.raises(NotFound, match="answers"):
        compare.shared([one, make_run(tiny, "third", state="failed")])


def test_labels_that_differ_are_counted(tiny: Dataset) -> None:
    """The run that saw more decisions is believed."""
    one, other = make_run(tiny, "one"), make_run(tiny, "other", seq=5)
    given = other.predictions()
    assert given is not None
    labels = given.label.copy()
    labels[:3] = (labels[:3] + 1) % 8
    write_predictions(other.folder, replace(given, label=labels))
    on = compare.shared([one, other])
    assert on.relabelled == 3
    places = np.searchsorted(on.index, given.index[:3])
    assert on.labels[places].tolist() == labels[:3].tolist()

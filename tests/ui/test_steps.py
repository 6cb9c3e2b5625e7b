"""The line of steps: each state comes from files, and reading them is cheap."""

from pathlib import Path

import numpy as np
import pytest

from bloodapp import jobs
from bloodapp.data.dataset import Dataset
from bloodapp.data.decisions import record
from bloodapp.data.importing import import_source
from bloodapp.review.queue import cards
from bloodapp.review.scan import read_findings, scan
from bloodapp.runs.run import Run
from bloodapp.ui.standing import judged
from bloodapp.ui.steps import Step, next_step, open_cards, steps
from tests.made import make_run


def by_title(dataset: Dataset | None, run: Run | None = None) -> dict[str, Step]:
    """The steps under their titles."""
    return {step.title: step for step in steps(dataset, run)}


def test_order_is_that_of_the_work() -> None:
    """Home, Review, Augment, Train, Evaluate, Classify."""
    assert [step.title for step in steps(None, None)] == [
        "Home", "Review", "Augment", "Train", "Evaluate", "Classify",
    ]  # fmt: skip


def test_empty_workspace_asks_for_a_dataset(home: Path) -> None:
    """Without a dataset everything waits for Home."""
    line = steps(None, None)
    assert next_step(line).title == "Home"
    assert {step.mood for step in line[1:]} == {"waiting"}


def test_fresh_dataset_is_to_be_scanned(tiny: Dataset) -> None:
    """Before the first scan, Review says so and comes next."""
    line = by_title(tiny)
    assert line["Home"].state == "48 images"
    assert line["Review"].state == "not scanned"
    assert next_step(tuple(line.values())).title == "Review"


def test_review_counts_open_cards(tiny: Dataset) -> None:
    """Open cards are counted as the queue counts them, and a decision shows at once."""
    scan(tiny)
    before = open_cards(tiny)
    assert before
    assert by_title(tiny)["Review"].state == f"{before} open"
    findings = read_findings(tiny)
    assert findings is not None
    for card in cards(findings, judged(tiny)):
        record(tiny, card.indices, "exclude")
    assert open_cards(tiny) == 0
    assert by_title(tiny)["Review"].state == "all decided"
    assert next_step(steps(tiny, None)).title == "Train"


def test_what_has_no_label_waits_for_one(home: Path, tmp_path: Path) -> None:
    """With every finding decided, images without a label are the next thing to do; excluded ones are not."""
    file = tmp_path / "bare.npz"
    np.savez(file, images=np.random.default_rng(0).integers(60, 200, (12, 32, 32, 3), np.uint8))
    bare = import_source(file, labelled=False)
    scan(bare)
    found = read_findings(bare)
    assert found is not None
    record(bare, [*found["index"].unique().tolist(), 0], "keep")
    assert (by_title(bare)["Review"].state, by_title(bare)["Review"].mood) == ("12 to label", "todo")
    record(bare, range(11), "exclude")
    record(bare, [11], "relabel", label=2)
    assert by_title(bare)["Review"].state == "all decided"


def test_running_scan_shows_its_share(tiny: Dataset) -> None:
    """A queued scan is busy."""
    jobs.submit("scan", {"dataset": "tiny"})
    step = by_title(tiny)["Review"]
    assert (step.state, step.mood) == ("scanning", "busy")


@pytest.mark.parametrize(
    ("state", "shown", "mood"),
    [
        ("queued", "queued", "busy"),
        ("failed", "failed", "attention"),
        ("interrupted", "interrupted", "attention"),
        ("done", "1 run", "done"),
        ("stopped", "1 run", "done"),
    ],
)
def test_train_says_how_the_last_training_is(tiny: Dataset, state: str, shown: str, mood: str) -> None:
    """Every state a training can be in is told apart."""
    make_run(tiny, state=state)
    step = by_title(tiny)["Train"]
    assert (step.state, step.mood) == (shown, mood)


def test_trainings_of_other_datasets_do_not_count(tiny: Dataset, tmp_path: Path) -> None:
    """A run of another dataset leaves this one untrained."""
    make_run(import_source(tmp_path / "tiny.npz", name="other"))
    assert by_title(tiny)["Train"].state == "no run yet"


def test_a_quick_trial_does_not_count_beside_a_run(tiny: Dataset) -> None:
    """Chosen or not, its figures are shown only where there are no others."""
    trial = make_run(tiny, "trial", recipe={"name": "plain", "images": 256}, right=(0.1, 0.1))
    assert "'trial'" in by_title(tiny, trial)["Evaluate"].detail
    real = make_run(tiny, "real")
    (real.folder / "model.keras").write_bytes(b"model")
    assert "'real'" in by_title(tiny, trial)["Evaluate"].detail


def test_evaluate_shows_clean_beside_shifted(tiny: Dataset) -> None:
    """Both accuracies, and which part they are from."""
    run = make_run(tiny)
    report = run.report()
    assert report is not None
    figures = report["parts"]["test"]
    step = by_title(tiny, run)["Evaluate"]
    assert step.state == f"{100 * figures['accuracy']:.1f} / {100 * figures['shifted_accuracy']:.1f}"
    assert "test images" in step.detail
    assert by_title(tiny, run)["Classify"].state == "ready"
    assert by_title(tiny, run)["Augment"].state == "flip"

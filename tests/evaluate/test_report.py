"""The report of a run: what stands in it, with which figures; that it asks for nothing and lets nothing in."""

import json
import re
from dataclasses import replace
from html.parser import HTMLParser
from itertools import pairwise

import numpy as np
import pytest

from bloodapp.data import decisions
from bloodapp.data.dataset import Dataset, open_dataset
from bloodapp.data.importing import import_source
from bloodapp.errors import NotFound
from bloodapp.evaluate import report as room
from bloodapp.evaluate import slices
from bloodapp.evaluate.evaluate import evaluate_run
from bloodapp.evaluate.facts import commands, gather, limits
from bloodapp.evaluate.kinds import kinds
from bloodapp.evaluate.report import contents, report, weight
from bloodapp.evaluate.report_judged import EXAMPLES, examples
from bloodapp.review.marked import marked
from bloodapp.review.scan import scan
from bloodapp.runs.predictions import write_predictions
from bloodapp.runs.run import Run, open_run
from tests.evaluate.suites import give_file, judge
from tests.made import forget_dataset_of, make_run

HOSTILE = "<script>alert('x')</script><img src=x onerror=alert(1)>\"&"
PLOTLY = "/* plotly */"


@pytest.fixture(autouse=True)
def without_plotly(monkeypatch: pytest.MonkeyPatch) -> None:
    """A word in place of 4.8 MB of script, so that a failed comparison can be read."""
    monkeypatch.setattr(room, "get_plotlyjs", lambda: PLOTLY)


class Reader(HTMLParser):
    """What a page holds: its tags with their attributes, its words outside scripts and styles."""

    def __init__(self, page: str) -> None:
        super().__init__()
        self.tags: list[tuple[str, dict[str, str | None]]] = []
        self.open: list[str] = []
        self.words: list[str] = []
        self.feed(page)

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        """Keep the tag."""
        self.tags.append((tag, dict(attrs)))
        if tag not in ("meta", "link", "img", "br", "input"):
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        """Check that tags close in order."""
        assert self.open.pop() == tag

    def handle_data(self, data: str) -> None:
        """Keep the words."""
        if self.open and self.open[-1] not in ("script", "style"):
            self.words.append(data)

    @property
    def text(self) -> str:
        """All words."""
        return re.sub(r"\s+", " ", " ".join(self.words))

    def all(self, tag: str) -> list[dict[str, str | None]]:
        """The attributes of every such tag."""
        return [attributes for name, attributes in self.tags if name == tag]


def test_kinds_of_images_are_those_of_the_page(tiny: Dataset) -> None:
    """With what Review has found, p adjusted over all of them, and small kinds marked as such; without it, not."""
    run = make_run(tiny, right=(0.6, 0.5))
    scan(tiny)
    dataset, facts = open_dataset("tiny"), gather(run)
    text = Reader(report(run, marks=marked(dataset))).text
    some = kinds(dataset, facts.result.index, marked(dataset))
    right = facts.result.probabilities.argmax(1) == facts.result.labels
    table = slices.judge(some, right, facts.result.labels)
    found = [some[place] for place in table["place"] if some[place].family == "finding"]
    assert found
    for row in table.to_dict("records"):
        one = some[row["place"]]
        few = " few" if row["n"] < slices.FEW else ""
        assert (
            f"{slices.FAMILIES[one.family]}: {one.title} {row['n']:,}{few} {100 * row['accuracy']:.1f}"
            in text
        )
        p = "< 0.001" if row["adjusted"] < 0.001 else f"{row['adjusted']:.3f}"
        assert f" {p} " in text
    assert f"Of {len(table)} kinds" in text and "after Holm" in text
    without = Reader(report(run)).text
    assert "Finding: " not in without and "No findings of a scan" in without
    assert "Brightness: darkest fifth" in without


def test_it_holds_the_figures_of_evaluate(tiny: Dataset) -> None:
    """Clean, shifted, their intervals, each class: as `evaluate` gives them; every section that can be is there."""
    run = make_run(tiny, right=(0.8, 0.5))
    page, figures = Reader(report(run)), evaluate_run(run)
    assert page.open == []
    for name in ("accuracy", "shifted_accuracy"):
        low, high = (100 * figures[f"{name}_{end}"] for end in ("low", "high"))
        assert f"{100 * figures[name]:.1f}" in page.text
        assert f"95 % interval {low:.1f} to {high:.1f}" in page.text
    for one in figures["per_class"].values():
        if one["recall"] is not None:
            assert f"{100 * one['recall']:.0f}" in page.text
    there = {section.key for section, missing in contents(run, "test") if not missing}
    assert {tag["id"] for tag in page.all("section")} == there
    assert there >= {
        "headline",
        "limits",
        "confusion",
        "classes",
        "images",
        "curves",
        "data",
        "configuration",
    }
    assert "not a medical device" in page.text


def test_it_can_be_read_by_anybody(tiny: Dataset) -> None:
    """One h1, no level left out, tables with captions and headed columns, every image and chart told in words."""
    page = Reader(report(make_run(tiny, right=(0.6, 0.5))))
    levels = [int(tag[1]) for tag, _ in page.tags if re.fullmatch(r"h[1-6]", tag)]
    assert levels[0] == 1 and levels.count(1) == 1
    assert all(after <= before + 1 for before, after in pairwise(levels))
    assert page.all("html")[0]["lang"] == "en"
    assert len(page.all("caption")) == len(page.all("table")) > 3
    assert all(head["scope"] in ("col", "row") for head in page.all("th"))
    assert all(image["alt"] for image in page.all("img"))
    charts = [tag for tag in page.all("div") if tag.get("class") == "chart"]
    assert len(charts) >= 4 and all(chart["role"] == "img" and chart["aria-label"] for chart in charts)


def test_it_asks_for_nothing(tiny: Dataset) -> None:
    """No address outside the file, and a policy that forbids any; images are inside."""
    page = Reader(report(make_run(tiny, right=(0.6, 0.5))))
    links = [
        str(value)
        for _, attributes in page.tags
        for name, value in attributes.items()
        if name in ("src", "href")
    ]
    assert all(link.startswith(("data:", "#")) for link in links)
    assert sum(link.startswith("data:image/jpeg") for link in links) > EXAMPLES
    policy = next(
        tag["content"] for tag in page.all("meta") if tag.get("http-equiv") == "Content-Security-Policy"
    )
    assert "default-src 'none'" in policy and policy.count("'sha256-") == 2 and "http" not in policy


def test_hostile_names_are_only_words(tiny: Dataset) -> None:
    """A title, a note, a class, a recipe, a dataset that are script: shown as they are, and none of it is a tag."""
    run = make_run(tiny, right=(0.6, 0.5))
    content = json.loads((run.folder / "config.json").read_text())
    content["recipe"] |= {"title": HOSTILE, "head": HOSTILE}
    content |= {"pipeline": HOSTILE, "computer": HOSTILE, "versions": {HOSTILE: HOSTILE}}
    content["classes"][0] |= {"title": HOSTILE, "colour": '#123456"onload="alert(1)'}
    (run.folder / "config.json").write_text(json.dumps(content))
    run.rename(HOSTILE)
    run.write_notes(f"{HOSTILE}\n--> ]]>")
    run = open_run(run.name)
    page = Reader(report(run))
    tags = {tag for tag, _ in page.tags}
    assert page.text.count(HOSTILE) >= 6
    assert len(page.all("script")) == 2 + sum(tag.get("class") == "chart" for tag in page.all("div"))
    assert not any(name.startswith("on") for _, attributes in page.tags for name in attributes)
    assert tags.isdisjoint({"iframe", "object", "form", "base"})
    assert all(image["src"].startswith("data:") for image in page.all("img"))


def test_the_ledger_position_is_what_held_then(tiny: Dataset) -> None:
    """What was decided up to the run's event is counted by action, undone ones apart, later ones not at all."""
    decisions.record(tiny, [1, 2, 3], "exclude")
    undone = decisions.record(tiny, [4, 5], "exclude")
    decisions.undo(tiny, batch=undone)
    decisions.record(tiny, [6], "relabel", label=2)
    judged = decisions.judge(tiny)
    run = make_run(_decided(tiny, judged), seq=judged.seq)
    decisions.record(tiny, [7, 8], "exclude")
    stand = gather(run).ledger
    assert stand is not None and stand.known and stand.seq == judged.seq
    assert stand.counts == {"keep": 0, "exclude": 3, "flag": 0, "relabel": 1} and stand.undone == 2
    text = Reader(report(run)).text
    assert f"up to decision {judged.seq}" in text and "exclude 3 · relabel 1; 2 undone" in text


def test_another_ledger_is_not_taken_for_the_runs(tiny: Dataset) -> None:
    """A dataset imported anew has an empty log: nothing is counted, and that is said."""
    run = make_run(tiny, seq=5)
    stand = gather(run).ledger
    assert stand is not None and not stand.known and stand.counts == {}
    assert "is not the one that the run took into account" in Reader(report(run)).text


def test_a_combined_run_is_made_again_by_its_members(tiny: Dataset) -> None:
    """What it was put together from, and the command that does so; no training is claimed."""
    together = {"members": ["a", "b"], "how": "majority", "tta": True}
    run = make_run(tiny, combined=together)
    assert commands(gather(run))["training"] == "python -m bloodapp combine a b --how majority --flips"
    assert "a, b" in Reader(report(run)).text


def test_what_was_decided_since_is_among_the_limits(tiny: Dataset) -> None:
    """Judged images that were excluded after the training are counted and said."""
    run = make_run(tiny)
    assert not any("Since then" in one for one in limits(gather(run)))
    decisions.record(tiny, run.predictions().only("test").index[:3].tolist(), "exclude")
    assert any("Since then 3 of the judged images" in one for one in limits(gather(run)))


def test_a_run_without_its_dataset(tiny: Dataset) -> None:
    """As a shipped run is: no images, all figures, and why the images are not there."""
    run = make_run(tiny)
    full = weight(run, "test")
    forget_dataset_of(run)
    run = open_run(run.name)
    page = Reader(report(run))
    assert not page.all("img") and "is not on the computer that wrote this" in page.text
    missing = {section.key: why for section, why in contents(run, "test") if why}
    assert "import the same file" in missing["images"]
    assert weight(run, "test") < full


def test_the_starter_has_a_report(home: object) -> None:
    """The run that ships with the app, on a computer without its images."""
    page = Reader(report(open_run("starter")))
    assert "Starter" in page.text
    assert any(tag.get("id") == "belief" for tag in page.all("section"))


def test_val_flatters_and_a_part_that_is_not_there(tiny: Dataset) -> None:
    """Without a test part val is taken, which is named among the limits; test is then not to be had."""
    run = make_run(tiny, test=False)
    assert any("flatters" in one for one in limits(gather(run)))
    with pytest.raises(NotFound):
        report(run, "test")


def test_without_the_shift_it_says_so(tiny: Dataset) -> None:
    """No shifted answers: one figure, and no column of nothing."""
    run = make_run(tiny)
    write_predictions(run.folder, replace(run.predictions(), shifted=None))
    text = Reader(report(open_run(run.name))).text
    assert "Not judged on shifted images" in text and "recall shifted" not in text


@pytest.fixture
def many(tmp_path: object, home: object, tiny_cells: tuple[np.ndarray, np.ndarray]) -> Run:
    """A run with a validation part that is large enough to calibrate on."""
    images, labels = tiny_cells
    file = tmp_path / "many.npz"  # type: ignore[operator]
    np.savez(file, images=np.tile(images, (6, 1, 1, 1)), labels=np.tile(labels, 6)[:, None])
    return make_run(import_source(file), "many", right=(0.85, 0.4))


def test_probabilities_are_judged_where_there_are_enough(many: Run, tiny: Dataset) -> None:
    """Temperature, calibration error and sets with 50 images of val; with fewer it says how many there are."""
    text = Reader(report(many)).text
    assert "Calibrated with one temperature" in text and "How the sets hold" in text
    why = {section.key: why for section, why in contents(make_run(tiny), "test")}
    assert re.fullmatch(r"its validation part has \d+ images; to calibrate it takes 50", why["belief"])


def test_corruptions_stand_in_it_once_judged(tiny: Dataset) -> None:
    """Before, the page that judges is named; after, the mean error with its interval and every number in a table."""
    run = give_file(make_run(tiny))
    before = {section.key: (why, section.view) for section, why in contents(run, "test")}
    assert before["corruptions"] == ("not judged under corruptions yet", "hold")
    found = judge(run)
    page = Reader(report(run))
    mean = found.interval("mean_corruption_error")
    assert (
        f"{100 * mean.value:.1f} % (95 % interval {100 * mean.low:.1f} to {100 * mean.high:.1f})" in page.text
    )
    assert any("corruption and severity" in str(tag.get("aria-label")) for tag in page.all("div"))


def test_mistakes_come_surest_first_and_right_ones_are_spread(tiny: Dataset) -> None:
    """Of a class the surest, the middle and the least sure right image; the mistakes in the order of confidence."""
    page = Reader(report(make_run(tiny, right=(0.6, 0.5))))
    shares = [int(share) for share in re.findall(r"(\d+) % sure; labelled", page.text)]
    assert shares == sorted(shares, reverse=True) and len(shares) > 2
    table = np.full((5, 2), 0.5)
    table[:, 0] = (0.9, 0.6, 0.8, 0.2, 0.7)
    table[:, 1] = 1 - table[:, 0]
    assert examples(np.zeros(5, int), table, 0).tolist() == [0, 2, 1]
    assert len(examples(np.zeros(5, int), table, 1)) == 0


def test_the_preview_reads_and_judges_nothing(tiny: Dataset, monkeypatch: pytest.MonkeyPatch) -> None:
    """What will stand in a report is known without a bootstrap."""
    run = make_run(tiny)
    monkeypatch.setattr(room, "gather", lambda *_: pytest.fail("judged"))
    assert len(contents(run, "test")) == len(room.SECTIONS)
    assert abs(weight(run, "test") - room._plotly_bytes()) < 2_000_000


def _decided(dataset: Dataset, judged: decisions.Judged) -> Dataset:
    """The dataset as a training sees it: decided labels, and none for what is excluded."""
    seen = replace(open_dataset(dataset.name))
    labels = np.where(judged.included, judged.labels, -1).astype(np.int16)
    seen.__dict__["labels"] = labels
    return seen

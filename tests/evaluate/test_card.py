"""The model card: its sections, its front matter, its figures, and that nothing in it is taken for Markdown."""

import json
import re

import pytest
import yaml
from markdown_it import MarkdownIt

from bloodapp.data.dataset import Dataset
from bloodapp.evaluate.card import card, code, plain
from bloodapp.evaluate.evaluate import evaluate_run
from bloodapp.runs.run import open_run
from tests.made import forget_dataset_of, make_run

SECTIONS = [
    "Model details",
    "Intended use",
    "Factors",
    "Metrics",
    "Evaluation data",
    "Training data",
    "Quantitative analyses",
    "Ethical considerations",
    "Caveats and recommendations",
]
HOSTILE = "<script>alert(1)</script> | **b** `c` [d](https://e) _f_\n# g"


def rendered(text: str) -> str:
    """The card as a web page, its front matter apart; HTML in it is let through."""
    return MarkdownIt("commonmark", {"html": True}).enable("table").render(text.split("---\n", 2)[2])


def test_it_has_the_sections_of_model_cards(tiny: Dataset) -> None:
    """Those of Mitchell et al. 2019, in their order, and every figure beside the command that gives it again."""
    run = make_run(tiny)
    page = rendered(card(run))
    assert re.findall(r"<h2>(.*?)</h2>", page) == SECTIONS
    figures = evaluate_run(run)
    assert f"{100 * figures['accuracy']:.1f} % (95 % interval {100 * figures['accuracy_low']:.1f} to" in page
    for command in ("evaluate made --part test", "report made --part test", "reproduce made"):
        assert f"python -m bloodapp {command}" in page
    assert "--corruptions" in page
    assert tiny.fingerprint in page and "Not a medical device." in page


def test_the_front_matter_is_what_the_hub_reads(tiny: Dataset) -> None:
    """YAML with tags and figures of both conditions; the licence is left to who publishes."""
    run = make_run(tiny)
    run.rename('a "title": with # signs')
    run = open_run(run.name)
    head = yaml.safe_load(card(run).split("---\n", 2)[1])
    assert (
        "license" not in head and head["library_name"] == "keras" and "image-classification" in head["tags"]
    )
    model = head["model-index"][0]
    assert model["name"] == run.title and len(model["results"]) == 2
    first = {one["type"]: one["value"] for one in model["results"][0]["metrics"]}
    assert first["accuracy"] == pytest.approx(evaluate_run(run)["accuracy"], abs=1e-4)


def test_every_overall_figure_is_given_again(tiny: Dataset) -> None:
    """What the front matter holds is in the JSON of `evaluate`, clean and under the shift, with intervals."""
    run = make_run(tiny)
    results = yaml.safe_load(card(run).split("---\n", 2)[1])["model-index"][0]["results"]
    figures = evaluate_run(run)
    for prefix, half in zip(("", "shifted_"), results, strict=True):
        assert [one["type"] for one in half["metrics"]][-2:] == ["auc", "cohen_kappa"]
        for one in half["metrics"]:
            name = prefix + one["type"].removeprefix("cohen_")
            assert figures[name] == pytest.approx(one["value"], abs=1e-4)
            assert figures[f"{name}_low"] <= figures[name] <= figures[f"{name}_high"]


def test_tables_are_whole_and_nothing_is_markup(tiny: Dataset) -> None:
    """Every row has as many cells as its head, whatever stands in them; a hostile title stays words."""
    run = make_run(tiny)
    content = json.loads((run.folder / "config.json").read_text())
    content["recipe"] |= {"title": HOSTILE, "head": HOSTILE}
    content["classes"][0]["title"] = HOSTILE
    (run.folder / "config.json").write_text(json.dumps(content))
    run.rename(HOSTILE)
    run.write_notes(HOSTILE)
    page = rendered(card(open_run(run.name)))
    assert "<script" not in page and "<a " not in page and "<em>f" not in page and "<strong>b" not in page
    assert page.count("<h1>") == 1
    tables = re.findall(r"<table>.*?</table>", page, re.DOTALL)
    assert len(tables) >= 5
    for table in tables:
        cells = {len(re.findall(r"<t[hd]", row)) for row in re.findall(r"<tr>.*?</tr>", table, re.DOTALL)}
        assert len(cells) == 1


def test_without_its_dataset(tiny: Dataset) -> None:
    """The figures are there all the same, and where the images are is said."""
    run = make_run(tiny)
    forget_dataset_of(run)
    assert "the dataset is not on the computer that wrote this" in card(open_run(run.name))


def test_signs_are_escaped() -> None:
    """Markdown's and HTML's signs, on one line; code keeps its backticks inside longer ones."""
    assert plain("a|b\n*c* <d>") == r"a\|b \*c\* \<d\>"
    assert code("a`b") == "``a`b``" and code("`") == "`` ` ``"

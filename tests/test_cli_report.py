"""`report` on the command line."""

from collections.abc import Callable
from pathlib import Path

from bloodapp.data.dataset import Dataset
from tests.made import make_run


def test_report_writes_both_files(tiny: Dataset, tmp_path: Path, run: Callable[..., str]) -> None:
    """The report and the card where one says, with their sizes on stdout; written over, as other commands do."""
    make_run(tiny)
    page, card = tmp_path / "a.html", tmp_path / "a.md"
    page.write_text("older")
    said = run("report", "made", "--out", page, "--card", card, "--part", "val")
    assert [line.split()[0] for line in said.splitlines()] == [str(page), str(card)] and "MB" in said
    text = page.read_text(encoding="utf-8")
    assert text.startswith("<!doctype html>") and "validation part" in text
    assert text.count("* plotly.js v") == 1, "Plotly is embedded once"
    assert "## Model details" in card.read_text(encoding="utf-8")


def test_report_says_what_is_wrong(tiny: Dataset, tmp_path: Path, run: Callable[..., str]) -> None:
    """No target, no such run, no such part, no such folder: one line each, and no file."""
    make_run(tiny, test=False)
    out = tmp_path / "a.html"
    assert "--out FILE.html" in run("report", "made", code=2, stream="err")
    assert "Can't find run" in run("report", "mad", "--out", out, code=2, stream="err")
    assert "called 'test'" in run("report", "made", "--part", "test", "--out", out, code=2, stream="err")
    assert "does not exist" in run(
        "report", "made", "--out", tmp_path / "no" / "a.html", code=2, stream="err"
    )
    assert "is a folder" in run("report", "made", "--out", tmp_path, code=2, stream="err")
    wrong = run("report", "made", "--out", tmp_path / "a.pdf", code=2, stream="err")
    assert "--out takes a file that ends in .html or .htm" in wrong
    wrong = run("report", "made", "--card", tmp_path / "a.txt", code=2, stream="err")
    assert "--card takes a file that ends in .md" in wrong
    assert not list(tmp_path.glob("a.*"))

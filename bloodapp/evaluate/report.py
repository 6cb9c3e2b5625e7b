"""A run to take away: one HTML file with its figures, images, data and configuration, that opens anywhere offline.

The file asks for nothing: style, script, Plotly and pictures are inside, and its own policy forbids every request.
Without a script its tables still say all that the charts show.
"""

import base64
import hashlib
from collections.abc import Callable
from dataclasses import dataclass
from functools import lru_cache
from pathlib import Path
from string import Template

from plotly.offline import get_plotlyjs

from bloodapp import __version__
from bloodapp.data.dataset import Dataset
from bloodapp.evaluate import report_judged, report_origin, report_trust, suite
from bloodapp.evaluate.facts import Facts, gather, moment, written
from bloodapp.evaluate.kinds import Marks
from bloodapp.evaluate.report_html import Html, text
from bloodapp.runs.calibration import FEWEST
from bloodapp.runs.calibration import PART as FITTED_ON
from bloodapp.runs.origin import dataset_of
from bloodapp.runs.run import Run

_FOLDER = Path(__file__).parent
_ELSEWHERE = "its dataset is not on this computer; import the same file to have them"


@dataclass(frozen=True)
class Section:
    """One section of a report.

    Attributes:
        key: its anchor.
        title: its heading.
        about: what stands in it, in a few words.
        draw: makes its HTML.
        missing: says why it is left out, and what would bring it; empty where it is there. Cheap: files are looked
            for, not read.
        view: the view of Evaluate that brings it, where one does.
    """

    key: str
    title: str
    about: str
    draw: Callable[[Facts], Html]
    missing: Callable[[Run, str, Dataset | None], str] = lambda run, part, dataset: ""
    view: str = ""


def _without_images(run: Run, part: str, dataset: Dataset | None) -> str:
    return "" if dataset is not None else _ELSEWHERE


def _unjudged(run: Run, part: str, dataset: Dataset | None) -> str:
    return "" if suite.find(run, part) is not None else "not judged under corruptions yet"


def _uncalibrated(run: Run, part: str, dataset: Dataset | None) -> str:
    predictions = run.predictions()
    fitted = 0 if predictions is None else int((predictions.part == FITTED_ON).sum())
    if fitted >= FEWEST:
        return ""
    return f"its validation part has {fitted} images; to calibrate it takes {FEWEST}"


def _without_curves(run: Run, part: str, dataset: Dataset | None) -> str:
    return "this run keeps no figures per epoch" if run.metrics().empty else ""


def _without_notes(run: Run, part: str, dataset: Dataset | None) -> str:
    if run.notes().strip():
        return ""
    return "it ships with the app and has none" if run.shipped else "nothing written yet"


SECTIONS = (
    Section("headline", "How good it is", "clean and shifted, with intervals", report_judged.headline),
    Section("limits", "What this does not say", "limits in plain words", report_origin.bounds),
    Section("notes", "Notes", "what you wrote about the run", report_origin.notes, _without_notes),
    Section("confusion", "What is taken for what", "the confusion matrix", report_judged.confusion),
    Section("classes", "Class by class", "precision, recall and F1", report_judged.classes),
    Section("images", "Images", "the surest mistakes, and some that are right", report_judged.images, _without_images),
    Section("kinds", "Kinds of images", "by source, light, focus, size, findings", report_trust.kinds, _without_images),
    Section("corruptions", "Will it hold?", "under fifteen corruptions", report_trust.corruptions, _unjudged, "hold"),
    Section("belief", "Can it be believed?", "calibration and sets of classes", report_trust.belief, _uncalibrated),
    Section("curves", "How it learned", "loss and accuracy per epoch", report_judged.curves, _without_curves),
    Section("data", "The data", "counts, fingerprint, decisions", report_origin.data),
    Section("configuration", "How it was made", "settings, versions, times, commands", report_origin.configuration),
)  # fmt: skip
"""What a report consists of, in its order."""


def contents(run: Run, part: str) -> list[tuple[Section, str]]:
    """The sections, and for each why it would be left out today: empty where it is there. Judges nothing."""
    dataset = dataset_of(run)
    return [(section, section.missing(run, part, dataset)) for section in SECTIONS]


def report(run: Run, part: str | None = None, marks: Marks | None = None) -> str:
    """The report of a run on its part `test` or `val` (test if there is one), as one HTML document.

    `marks` are the dataset's findings, `review.marked`, to judge the run by them as well. Raises NotFound before
    the run has ended, or for a part that it has no answers for.
    """
    facts = gather(run, part, marks)
    there = [one for one in SECTIONS if not one.missing(run, facts.part, facts.dataset)]
    bodies = "\n".join(
        f'<section id="{one.key}" aria-labelledby="h-{one.key}"><h2 id="h-{one.key}">{text(one.title)}</h2>\n'
        f"{one.draw(facts)}</section>"
        for one in there
    )
    plotly, script, style = get_plotlyjs(), _file("report.js"), _file("report.css")
    page = Template(_file("report.html"))
    return page.substitute(
        title=text(run.title),
        about=text(_about(facts)),
        links="".join(f'<a href="#{one.key}">{text(one.title)}</a>' for one in there),
        sections=bodies,
        written=text(f"Written {written()} by bloodapp {__version__} from the files of the run {run.name}."),
        style=style,
        plotly=plotly,
        script=script,
        # Only these two scripts may run, and nothing may be fetched: whatever a name or a note contains.
        scripts=f"'sha256-{_digest(plotly)}' 'sha256-{_digest(script)}'",
    )


def weight(run: Run, part: str) -> int:
    """About how many bytes a report will have, without writing it."""
    images = 0
    if dataset_of(run) is not None:
        images = report_judged.MISTAKES + report_judged.EXAMPLES * len(run.classes)
    return _plotly_bytes() + 120_000 + 6_500 * images


def _about(facts: Facts) -> str:
    run = facts.run
    recipe = str(run.config["recipe"].get("title") or run.recipe).partition(":")[0]
    parts = [run.name if run.title != run.name else "", recipe, f"dataset {run.dataset}", moment(run.created)]
    return " · ".join(part for part in parts if part)


@lru_cache(maxsize=1)
def _plotly_bytes() -> int:
    return len(get_plotlyjs().encode())


def _digest(script: str) -> str:
    return base64.b64encode(hashlib.sha256(script.encode()).digest()).decode("ascii")


def _file(name: str) -> str:
    return (_FOLDER / name).read_text(encoding="utf-8")

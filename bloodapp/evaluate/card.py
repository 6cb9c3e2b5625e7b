"""A model card in Markdown, filled from a run's own files.

Its sections are those of M. Mitchell et al., "Model Cards for Model Reporting", FAT* 2019; the front matter is what
the Hugging Face Hub reads (https://huggingface.co/docs/hub/model-cards). The licence is left to who publishes it.
"""

import json
import re
from collections.abc import Iterable, Sequence

from bloodapp import __version__
from bloodapp.augment.corruptions import ALL_CORRUPTIONS
from bloodapp.charts.style import percent
from bloodapp.evaluate import calibration, verdict
from bloodapp.evaluate.facts import (
    DECIMAL,
    Facts,
    commands,
    gather,
    limits,
    made,
    moment,
    origin,
    settings,
    written,
)
from bloodapp.evaluate.metrics import Interval
from bloodapp.evaluate.report_html import words
from bloodapp.evaluate.report_judged import figure
from bloodapp.evaluate.scores import MEANS, TITLES
from bloodapp.runs.readings import read_words
from bloodapp.runs.run import Run

TAGS = ("image-classification", "keras", "blood-cells", "microscopy", "haematology")
_KINDS = {title: "cohen_kappa" if name == "kappa" else name for name, title in TITLES.items()}
_SIGNS = re.compile(r"([\\`*_{}\[\]<>#$~|&])")


def card(run: Run, part: str | None = None) -> str:
    """The model card of a run, judged on its part `test` or `val` (test if there is one).

    Raises NotFound before the run has ended, or for a part that it has no answers for.
    """
    facts = gather(run, part)
    sections = (
        ("Model details", _details(facts)),
        ("Intended use", _use(facts)),
        ("Factors", _factors(facts)),
        ("Metrics", _metrics(facts)),
        ("Evaluation data", _evaluation(facts)),
        ("Training data", _training(facts)),
        ("Quantitative analyses", _analyses(facts)),
        ("Ethical considerations", _ethics(facts)),
        ("Caveats and recommendations", _caveats(facts)),
    )
    parts = [front_matter(facts), f"# {plain(run.title)}", f"> {_lead(facts)}"]
    for title, body in sections:
        parts += [f"## {title}", *body]
    parts.append(
        f"*Written {written()} by bloodapp {__version__} from the files of the run {plain(run.name)}.*"
    )
    return "\n\n".join(parts) + "\n"


def front_matter(facts: Facts) -> str:
    """The YAML head; strings are JSON's, which YAML reads."""
    run = facts.run
    lines = ["---", "# license: say which before you publish, for instance apache-2.0"]
    lines += ["library_name: keras", "pipeline_tag: image-classification", "tags:"]
    lines += [f"- {tag}" for tag in TAGS]
    lines += ["metrics:", "- accuracy", "- f1", "- precision", "- recall"]
    lines += ["model-index:", f"- name: {json.dumps(run.title)}", "  results:"]
    judged = [("as they are", facts.overall)]
    if facts.shifted_overall:
        judged.append(("under a seeded shift", facts.shifted_overall))
    for how, figures in judged:
        name = f"{run.dataset}, {facts.part_title}, {how}"
        lines += ["  - task:", "      type: image-classification", "    dataset:"]
        lines += [f"      name: {json.dumps(name)}", f"      type: {json.dumps(run.dataset)}"]
        lines += [f"      split: {facts.part}", "    metrics:"]
        for title, one in figures.items():
            if one.value == one.value:
                lines += [
                    f"    - type: {_KINDS[title]}",
                    f"      name: {json.dumps(title)}",
                    f"      value: {one.value:.4f}",
                ]
    return "\n".join([*lines, "---"])


def _lead(facts: Facts) -> str:
    both = facts.comparison
    said = f"{words(both.clean)} right on {len(facts.result):,} images of the {facts.part_title}"
    if facts.has_shift:
        said += f"; {words(both.shifted)} on the same images under a seeded shift"
    gap = verdict.sentence(both, len(facts.result), has_shift=facts.has_shift)
    return plain(f"{said}. {gap}") + " **Not a medical device.**"


def _details(facts: Facts) -> list[str]:
    rows = [(name, moment(value) if name in ("Begun", "Ended") else value) for name, value in made(facts)]
    body = [table(("what", "value"), rows)]
    for group, each in settings(facts.run).items():
        body.append(
            f"**{plain(group)}:** " + ", ".join(f"{plain(name)} {code(value)}" for name, value in each)
        )
    again = commands(facts)
    if "training" in again:
        body.append("The same again:")
        body.append(block(again["training"]))
    if notes := facts.run.notes().strip():
        body += ["**Notes**", "\n".join(f"> {plain(line)}".rstrip() for line in notes.splitlines())]
    return body


def _use(facts: Facts) -> list[str]:
    titles = ", ".join(plain(c.title.lower()) for c in facts.run.classes)
    size = facts.run.size
    return [
        f"Tells {len(facts.run.classes)} classes apart on images of one cell, {size} × {size} pixels, RGB: {titles}.",
        "Meant for teaching, for research and for sorting images before a person looks at them.",
        "Not meant for diagnosis or for any decision about a person, nor for cells, stains or devices that it has "
        "not been judged on. An image of anything else gets one of these classes all the same.",
    ]


def _factors(facts: Facts) -> list[str]:
    what = f" ({plain(facts.report['shift'])})" if facts.report.get("shift") else ""
    both = f", and for the same images under a shift{what}" if facts.has_shift else " alone"
    return [
        "Stain, lamp, focus, camera and compression change how a cell looks. The figures stand for the images as "
        f"they are{both}.",
        "Who the cells came from (age, sex, illness) is not recorded, so nothing is said about it.",
    ]


def _metrics(facts: Facts) -> list[str]:
    others = "Errors under corruptions are given again by adding `--corruptions`, calibration errors by the report."
    return [
        "All with 95 % bootstrap intervals over the images, as they are and under a seeded shift; precision, recall "
        "and F1 for each class too.",
        "\n".join(f"- **{title}:** {plain(MEANS[name])}" for name, title in TITLES.items()),
        "The figures over all classes and of each class are given again, with their intervals, by:",
        block(f"{commands(facts)['figures']} --json -"),
        f"Without `--json -` a shorter table is printed. {others}",
    ]


def _evaluation(facts: Facts) -> list[str]:
    n = len(facts.result)
    return [
        f"{n:,} images, the {facts.part_title} of the dataset. {plain(verdict.reads(facts.part, facts.report))}"
    ]


def _training(facts: Facts) -> list[str]:
    counts = facts.counts
    rows = [
        (name, *(f"{int(n):,}" for n in row))
        for name, row in zip(counts.index, counts.to_numpy(), strict=True)
    ]
    rows.append(("all", *(f"{int(n):,}" for n in counts.to_numpy().sum(0))))
    body = [table(("what", "value"), origin(facts)), "Images of each class in each part:"]
    body.append(table(("class", *map(str, counts.columns)), rows, figures=True))
    if "test" in counts and (read := read_words(facts.report)):
        body.append(plain(read))
    return body


def _analyses(facts: Facts) -> list[str]:
    heads = ("over all classes", "clean", *(("shifted",) if facts.has_shift else ()))
    rows = [
        (
            name,
            *(
                words(half[name], decimal=name in DECIMAL)
                for half in (facts.overall, facts.shifted_overall)
                if half
            ),
        )
        for name in facts.overall
    ]
    names = ("precision", "recall", "f1")
    each = [
        (
            c.title,
            f"{int(row['support']):,}",
            *(_short(figure(row, name)) for name in names),
            *((_short(figure(facts.hard.iloc[place], "recall")),) if facts.hard is not None else ()),
        )
        for place, (c, (_, row)) in enumerate(zip(facts.run.classes, facts.clean.iterrows(), strict=True))
    ]
    columns = ["class", "images", "precision", "recall", "F1"]
    columns += ["recall, shifted"] if facts.hard is not None else []
    return [
        table(heads, rows, figures=True),
        "By class, in percent, with 95 % intervals:",
        table(columns, each, figures=True),
        *_beyond(facts),
        "The report with charts and images:",
        block(commands(facts)["report"]),
    ]


def _beyond(facts: Facts) -> list[str]:
    """Corruptions and probabilities, where they were judged."""
    body = []
    found = facts.suite
    if found is not None and found.complete and (mean := found.interval("mean_corruption_error")) is not None:
        means = found.by_corruption
        worst_first = sorted(means, key=lambda name: -means[name])
        rows = [(ALL_CORRUPTIONS[name].title, percent(means[name])) for name in worst_first]
        body += [
            f"Mean corruption error (MedMNIST-C's eleven corruptions at five severities): {words(mean)}, against "
            f"{percent(found.clean)} on the images as they are; the mean balanced error of each:",
            table(("corruption", "named wrong"), rows, figures=True),
            block(commands(facts)["corruptions"]),
        ]
    fitted = calibration.of(facts.run)
    if fitted is not None:
        labels = facts.result.labels
        judged = [("as they are", facts.result.probabilities)]
        if facts.result.shifted is not None:
            judged.append(("shifted", facts.result.shifted))
        errors = [
            (name, *(words(calibration.scores(labels, one).ece) for one in (answers, fitted.apply(answers))))
            for name, answers in judged
        ]
        body += [
            f"Expected calibration error, before and after temperature scaling ({fitted.temperature:.2f}, fitted on "
            f"{fitted.n:,} images of the validation part); the report gives it again:",
            table(("images", "as the network says", "calibrated"), errors, figures=True),
        ]
    return body


def _ethics(facts: Facts) -> list[str]:
    return [
        "A wrong answer given with confidence looks like a right one: a person who knows cells has to look.",
        "Who publishes this model answers for the rights in the images it learned from, and for their consent. "
        "The HTML report holds some of those images.",
    ]


def _caveats(facts: Facts) -> list[str]:
    return ["\n".join(f"- {plain(one)}" for one in limits(facts))]


def _short(one: Interval) -> str:
    if one.value != one.value:
        return "–"
    return f"{percent(one.value).removesuffix(' %')} ({100 * one.low:.0f} to {100 * one.high:.0f})"


def table(heads: Sequence[str], rows: Iterable[Sequence[str]], *, figures: bool = False) -> str:
    """A Markdown table; with `figures` all columns but the first are right-aligned."""
    line = ["---", *(("---:" if figures else "---") for _ in heads[1:])]
    written_rows = [[plain(cell) for cell in row] for row in (heads, *rows)]
    written_rows.insert(1, line)
    return "\n".join(f"| {' | '.join(row)} |" for row in written_rows)


def plain(words_: str) -> str:
    """Text on one line with Markdown's signs escaped, HTML's among them."""
    return _SIGNS.sub(r"\\\1", " ".join(str(words_).split()))


def code(value: str) -> str:
    """A value as code, whatever is in it."""
    inside = " ".join(str(value).split())
    fence = "`" * (max((len(run) for run in re.findall("`+", inside)), default=0) + 1)
    pad = " " if inside.startswith("`") or inside.endswith("`") else ""
    return f"{fence}{pad}{inside}{pad}{fence}"


def block(command: str) -> str:
    """A command on lines of its own."""
    return f"```\n{command}\n```"

"""What a report tells of where a run comes from: its dataset, its configuration, its notes, its limits."""

from bloodapp.evaluate.facts import Facts, commands, limits, made, moment, origin, settings
from bloodapp.evaluate.report_html import Html, chip, folded, pairs, paragraph, table, text
from bloodapp.runs.readings import read_words


def data(facts: Facts) -> Html:
    """The dataset, its fingerprint, the decisions, the images of each class in each part, the readings of the test."""
    body: str = pairs(origin(facts))
    stand = facts.ledger
    if stand is not None and not stand.known and facts.run.config["seq"]:
        body += paragraph(
            "The log of decisions on the computer that wrote this is not the one that the run took into account, "
            "so what was decided is not counted here.",
            "quiet",
        )
    counts = facts.counts
    rows: list[list[object]] = [
        [chip(c), *(f"{int(n):,}" for n in row), f"{int(row.sum()):,}"]
        for c, row in zip(facts.run.classes, counts.to_numpy(), strict=True)
    ]
    sums = counts.to_numpy().sum(0)
    rows.append(["all", *(f"{int(n):,}" for n in sums), f"{int(sums.sum()):,}"])
    heads = ["class", *(str(part) for part in counts.columns), "all"]
    body += table(heads, rows, "Images of each class in each part", kind="figures sums")
    if "test" in counts:
        body += paragraph(read_words(facts.report) or "The test part has not been read.")
    return Html(body)


AGAIN = {
    "figures": "The figures",
    "corruptions": "Under corruptions",
    "report": "This report",
    "training": "The training",
}
"""What commands give again, in the order in which they are told."""


def configuration(facts: Facts) -> Html:
    """How the run was made: recipe, changes, device, times, versions; all settings."""
    rows = [(name, moment(value) if name in ("Begun", "Ended") else value) for name, value in made(facts)]
    groups = "".join(
        f"<h4>{text(group)}</h4>{pairs(each, 'settings')}" for group, each in settings(facts.run).items()
    )
    said = "".join(
        f"<div><dt>{text(AGAIN[name])}</dt><dd><code>{text(command)}</code></dd></div>"
        for name, command in sorted(commands(facts).items(), key=lambda one: list(AGAIN).index(one[0]))
    )
    return Html(f'{pairs(rows)}{folded("All settings", groups)}<h3>Again</h3><dl class="pairs">{said}</dl>')


def notes(facts: Facts) -> Html:
    """What was written about the run, as it was written."""
    return Html(f'<div class="notes">{text(facts.run.notes().strip())}</div>')


def bounds(facts: Facts) -> Html:
    """What the figures do not say."""
    return Html(f"<ul>{''.join(f'<li>{text(one)}</li>' for one in limits(facts))}</ul>")

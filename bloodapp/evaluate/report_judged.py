"""What a report shows of the judgement: headline, confusion matrix, classes, images, learning curves."""

import numpy as np
import numpy.typing as npt
import pandas as pd

from bloodapp.charts.bars import recall_chart
from bloodapp.charts.confusion import confusion_chart
from bloodapp.charts.curves import learning_curve
from bloodapp.charts.style import percent
from bloodapp.evaluate import mistakes, verdict
from bloodapp.evaluate.facts import DECIMAL, Facts
from bloodapp.evaluate.metrics import Interval
from bloodapp.evaluate.ordering import by_similarity
from bloodapp.evaluate.report_html import (
    Html,
    chart,
    chip,
    drawn,
    folded,
    paragraph,
    picture,
    span,
    table,
    text,
    told,
)

MISTAKES = 24
"""How many of the most confident mistakes are shown."""

EXAMPLES = 3
"""How many right images of each class are shown: the surest, the middle one and the least sure."""


def headline(facts: Facts) -> Html:
    """Clean and shifted accuracy side by side, the sentence that says what they mean, and the other figures."""
    both = facts.comparison
    scores = _score("clean", "Clean: as they are", both.clean)
    if facts.has_shift:
        scores += _score("shifted", "Shifted: light, focus, colour", both.shifted)
    n = len(facts.result)
    said = verdict.sentence(both, n, has_shift=facts.has_shift)
    small = f"{n:,} images of the {facts.part_title}. {verdict.reads(facts.part, facts.report)}"
    if facts.has_shift and facts.report.get("shift"):
        small += f" Shifted: {facts.report['shift']}; the same images both times."
    body = f'<div class="scores">{scores}</div>{_scale(facts)}'
    body += paragraph(said, "lead") + paragraph(small, "quiet")
    heads = ["over all classes", "clean", *(["shifted"] if facts.has_shift else [])]
    rows = [
        [
            name,
            *(
                told(half[name], decimal=name in DECIMAL)
                for half in (facts.overall, facts.shifted_overall)
                if half
            ),
        ]
        for name in facts.overall
    ]
    return Html(body + table(heads, rows, "Figures over all classes, with 95 % intervals", kind="figures"))


def _score(kind: str, what: str, score: Interval) -> str:
    return (
        f'<div class="score {kind}"><span>{text(what)}</span><b>{100 * score.value:.1f}<em> %</em></b>'
        f"<small>95 % interval {100 * score.low:.1f} to {100 * score.high:.1f}</small></div>"
    )


def _scale(facts: Facts) -> str:
    """Both accuracies and their intervals on one line; what it shows stands in figures above it."""
    shown = [("clean", facts.comparison.clean)]
    if facts.has_shift:
        shown.append(("shifted", facts.comparison.shifted))
    low = min(int(max(0, min(10 * (score.low - 0.05) for _, score in shown))) * 10, 90)

    def at(share: float) -> float:
        return max(0.0, (100 * share - low) / (100 - low) * 100)

    parts = "".join(
        f'<i class="range {kind}" style="left:{at(one.low):.2f}%;width:{at(one.high) - at(one.low):.2f}%"></i>'
        f'<i class="mark {kind}" style="left:{at(one.value):.2f}%"></i>'
        for kind, one in shown
    )
    return (
        f'<div class="scale" aria-hidden="true"><div class="line">{parts}</div>'
        f'<div class="ends"><span>{low} %</span><span>100 %</span></div></div>'
    )


def confusion(facts: Facts) -> Html:
    """The matrix as counts, clean, and the largest confusions; under the shift folded beneath."""
    content = _matrix(facts, under_shift=False)
    if facts.has_shift:
        content += folded("The same under the shift", _matrix(facts, under_shift=True))
    return Html(content)


def _matrix(facts: Facts, *, under_shift: bool) -> str:
    result = facts.result
    matrix = result.matrix(under_shift=under_shift)
    classes = list(result.classes)
    order = by_similarity(result.matrix())
    side = min(52, max(26, 700 // max(len(classes), 1)))
    worst = mistakes.worst_cells(matrix, 5)
    figure = confusion_chart(matrix, drawn(classes), order=order, height=90 + side * len(classes))
    figure.update_layout(margin_r=44)  # the last name leans out, and Plotly hides what leaves the chart
    which = "under the shift" if under_shift else "clean"
    content: str = chart(
        figure, f"Confusion matrix, {which}: rows the given labels, columns the predicted classes", least=460
    )
    short = [c for c in classes if len(c.title) > 14 and len(c.key) <= 3]
    if short:
        content += paragraph(", ".join(f"{c.key.upper()}: {c.title.lower()}" for c in short), "quiet")
    if worst:
        rows = [
            (chip(classes[true]), chip(classes[taken]), f"{n:,}", percent(n / matrix[true].sum()))
            for true, taken, n in worst
        ]
        content += table(
            ("labelled", "taken for", "images", "of the class"), rows, f"The largest confusions, {which}"
        )
    else:
        content += paragraph("No image was taken for another class.")
    heads = ["labelled ↓ predicted →", *(classes[k].title for k in order)]
    full = [[classes[row].title, *(f"{matrix[row, column]:,}" for column in order)] for row in order]
    return content + folded(
        "The matrix as a table",
        table(heads, full, f"Confusion matrix, {which}, images", kind="matrix"),
        printed=False,
    )


def classes(facts: Facts) -> Html:
    """Precision, recall and F1 by class with intervals; recall clean beside shifted as a chart."""
    hard = facts.hard
    heads = ["class", "images", "precision, %", "recall, %"]
    heads += ["recall shifted, %"] if hard is not None else []
    rows = []
    for place, cell_class in enumerate(facts.result.classes):
        row = facts.clean.iloc[place]
        cells: list[object] = [chip(cell_class), f"{int(row['support']):,}"]
        cells += [span(figure(row, "precision"), 0), span(figure(row, "recall"), 0)]
        cells += [span(figure(hard.iloc[place], "recall"), 0)] if hard is not None else []
        rows.append([*cells, span(figure(row, "f1"), 0)])
    columns = ["recall", "recall_low", "recall_high"]
    shape = recall_chart(
        facts.clean[columns].to_numpy(),
        None if hard is None else hard[columns].to_numpy(),
        drawn(facts.result.classes),
    )
    drawing = chart(
        shape, "Recall of each class, clean and shifted, with 95 % intervals; the table has the numbers"
    )
    return Html(drawing + table([*heads, "F1, %"], rows, "Every class, with 95 % intervals", kind="figures"))


def figure(row: "pd.Series[float]", name: str) -> Interval:
    """One figure of a row of `metrics.per_class`."""
    return Interval(*(float(row[key]) for key in (name, f"{name}_low", f"{name}_high")))


def images(facts: Facts) -> Html:
    """The most confident mistakes, then some right images of each class."""
    result, dataset = facts.result, facts.dataset
    assert dataset is not None, "the section is left out without the dataset"
    wrong = mistakes.confident_mistakes(result.labels, result.probabilities)
    names = dataset.items["name"].to_numpy()
    content = "<h3>The most confident mistakes</h3>"
    if wrong.empty:
        content += paragraph(f"None: all {len(result):,} images are named as labelled.")
    else:
        shown = wrong.head(MISTAKES)
        less = f"The first {len(shown)} of {len(wrong):,}. " if len(wrong) > len(shown) else ""
        content += paragraph(f"{less}A sure mistake is often a wrong label, and worth a look.", "quiet")
        rows = result.index[shown["position"].to_numpy(np.int64)]
        cards = []
        for row, image, one in zip(rows, dataset.read(rows), shown.to_dict("records"), strict=True):
            label, named = (result.classes[int(one[key])] for key in ("label", "predicted"))
            said = f"labelled {label.title}, taken for {named.title} with {percent(one['confidence'])}"
            cards.append(
                f"<figure>{picture(image, f'{names[row]}: {said}')}<figcaption><b>{chip(named)}</b>"
                f"<em>{percent(one['confidence'], 0)} sure; labelled</em>{chip(label)}</figcaption></figure>"
            )
        content += f'<div class="images wrong">{"".join(cards)}</div>'
    content += "<h3>Some that are right</h3>"
    content += paragraph("Of each class the surest, the middle one and the least sure.", "quiet")
    kinds = [
        _row_of(facts, examples(result.labels, result.probabilities, place), place)
        for place in range(len(result.classes))
    ]
    return Html(f'{content}<div class="kinds">{"".join(kinds)}</div>')


def _row_of(facts: Facts, chosen: npt.NDArray[np.int64], place: int) -> str:
    result, dataset = facts.result, facts.dataset
    assert dataset is not None
    cell_class = result.classes[place]
    sure = result.probabilities[chosen, place]
    cards = "".join(
        f"<figure>{picture(image, f'{cell_class.title}, named right with {percent(float(s))}')}"
        f"<figcaption>{percent(float(s), 0)}</figcaption></figure>"
        for image, s in zip(dataset.read(result.index[chosen]), sure, strict=True)
    )
    shown = f'<div class="images right">{cards}</div>' if cards else '<p class="quiet">none</p>'
    return f'<div class="kind"><h4>{chip(cell_class)}</h4>{shown}</div>'


def examples(labels: npt.ArrayLike, probabilities: npt.ArrayLike, which: int) -> npt.NDArray[np.int64]:
    """Positions of up to EXAMPLES right images of a class, spread from the surest to the least sure."""
    given, found = np.asarray(labels), np.asarray(probabilities)
    right = np.flatnonzero((given == which) & (found.argmax(1) == which))
    ordered = right[np.argsort(-found[right, which], kind="stable")]
    places = np.linspace(0, len(ordered) - 1, min(EXAMPLES, len(ordered))).astype(int)
    return ordered[np.unique(places)].astype(np.int64) if len(ordered) else ordered.astype(np.int64)


def curves(facts: Facts) -> Html:
    """Loss and accuracy per epoch, with the figures of the first, the kept and the last epoch."""
    metrics = facts.run.metrics()
    best = int(facts.report.get("best_epoch") or 0) or None
    content = ""
    for name in ("loss", "accuracy"):
        if name not in metrics and f"val_{name}" not in metrics:
            continue
        shape = learning_curve(
            metrics["epoch"].tolist(),
            _column(metrics, name),
            _column(metrics, f"val_{name}"),
            name=name,
            shifted=_column(metrics, "val_shifted_accuracy")
            if name == "accuracy" and "val_shifted_accuracy" in metrics
            else None,
            best_epoch=best,
            share=name == "accuracy",
            height=300,
        )
        content += f"<div>{chart(shape, f'{name} per epoch, training beside validation')}</div>"
    last = int(metrics["epoch"].iloc[-1])
    marks = {int(metrics["epoch"].iloc[0]): "first", last: "last"}
    if best:
        marks[best] = "last and kept" if best == last else "kept"
    chosen = metrics[metrics["epoch"].isin(marks)]
    columns = [
        (title, name)
        for title, name in (
            ("loss", "loss"),
            ("validation loss", "val_loss"),
            ("accuracy", "accuracy"),
            ("validation accuracy", "val_accuracy"),
            ("validation, shifted", "val_shifted_accuracy"),
        )
        if name in metrics
    ]
    rows = [
        [
            f"{int(row['epoch'])}, {marks[int(row['epoch'])]}",
            *(_number(row[name], name) for _, name in columns),
        ]
        for row in chosen.to_dict("records")
    ]
    heads = ["epoch", *(title for title, _ in columns)]
    return Html(f'<div class="two">{content}</div>{table(heads, rows, "Epochs", kind="figures")}')


def _column(metrics: pd.DataFrame, name: str) -> list[float | None]:
    if name not in metrics:
        return [None] * len(metrics)
    return [None if value != value else float(value) for value in metrics[name].astype(float)]


def _number(value: object, name: str) -> str:
    if not isinstance(value, int | float) or value != value:
        return "–"
    return f"{value:.3f}" if name.endswith("loss") else percent(float(value))

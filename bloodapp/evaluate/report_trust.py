"""What a report says of how far a run can be trusted: kinds of images, corruptions, probabilities."""

from collections.abc import Sequence

import numpy as np
import pandas as pd

from bloodapp.augment.corruptions import ALL_CORRUPTIONS
from bloodapp.charts.belief import Points, reliability_chart
from bloodapp.charts.robustness import robustness_chart
from bloodapp.charts.slices import Row, slices_chart
from bloodapp.charts.style import percent
from bloodapp.evaluate import calibration, conformal, slices, suite
from bloodapp.evaluate.facts import Facts
from bloodapp.evaluate.kinds import kinds as kinds_of
from bloodapp.evaluate.metrics import Interval
from bloodapp.evaluate.report_html import Html, chart, folded, paragraph, span, table, text, words


def corruptions(facts: Facts) -> Html:
    """The suite as a heat map, the corruption that costs most first, and what it comes to."""
    found = facts.suite
    assert found is not None, "the section is left out without a suite"
    means = found.by_corruption
    names = sorted(means, key=lambda name: -means[name])
    titles = [ALL_CORRUPTIONS[name].title for name in names]
    errors = found.balanced_error[[found.corruptions.index(name) for name in names]]
    content: str = ""
    if not found.complete:
        content += paragraph(
            f"{len(names)} of {len(ALL_CORRUPTIONS)} corruptions are through so far.", "lead"
        )
    elif (mean := found.interval("mean_corruption_error")) is not None:
        content += paragraph(
            f"Under MedMNIST-C's eleven corruptions {words(mean)} are named wrong on average, each class counting "
            f"the same, against {percent(found.clean)} as they are. It breaks first under “{titles[0]}” "
            f"({percent(means[names[0]])}).",
            "lead",
        )
    content += paragraph(
        "In percent: the balanced error, the mean over the classes of the share named wrong, on each of these images "
        "at five severities of each corruption.",
        "quiet",
    )
    figure = robustness_chart(errors, names, titles, clean=found.clean)
    content += chart(
        figure, "Balanced error by corruption and severity, in percent; the number is in each cell", least=520
    )
    heads = ["corruption", *(f"severity {severity}" for severity in found.severities), "mean"]
    rows = [
        [title, *(_points(error) for error in row), _points(float(row.mean()))]
        for title, row in zip(titles, errors, strict=True)
    ]
    caption = "Balanced error in percent, by corruption and severity"
    content += folded("As a table", table(heads, rows, caption, kind="figures"), printed=False)
    return Html(content + (_against(found) if found.complete else ""))


def _against(found: suite.Suite) -> Html:
    """The benchmark's own quotients."""
    told = found.relative_error
    rows = [
        [ALL_CORRUPTIONS[name].title, f"{told.balanced[name]:.2f}", f"{told.relative[name]:.2f}"]
        for name in told.balanced
    ]
    rows.append(["mean", f"{told.mean_balanced:.2f}", f"{told.mean_relative:.2f}"])
    caption = f"Divided by {told.baseline.title}; of other images a yardstick, no rank"
    heads = ("corruption", "balanced error", "relative error")
    return folded(
        "As the benchmark reports it", table(heads, rows, caption, kind="figures sums"), printed=False
    )


def belief(facts: Facts) -> Html:
    """Reliability and calibration error, as the network says and calibrated, and how its sets of classes hold."""
    fitted = calibration.of(facts.run)
    assert fitted is not None, "the section is left out where nothing can be fitted"
    labels, given = facts.result.labels, facts.result.probabilities
    conditions = [("clean", given)]
    if facts.result.shifted is not None:
        conditions.append(("shifted", facts.result.shifted))
    clean = calibration.scores(labels, fitted.apply(given))
    content: str = paragraph(
        f"Calibrated with one temperature, {fitted.temperature:.2f}, it says {percent(clean.confidence.value)} on "
        f"average and is right in {percent(clean.accuracy.value)}; its calibration error is {words(clean.ece)}."
        + _under_shift(facts, fitted),
        "lead",
    )
    fitting = f"Temperature and sets were fitted on {fitted.n:,} images of the validation part"
    on_itself = (
        ", the very ones judged here, so that they look a little too good." if facts.part == "val" else "."
    )
    content += paragraph(fitting + on_itself, "quiet")
    before, after = (
        calibration.reliability(labels, given),
        calibration.reliability(labels, fitted.apply(given)),
    )
    figure = reliability_chart(_drawn(before), _drawn(after))
    content += chart(
        figure, "Share right over confidence, as the network says and calibrated; the tables have the numbers"
    )
    content += _scored(facts, conditions, fitted)
    bins = [
        [f"{100 * low:.0f} to {100 * high:.0f} %", f"{int(n):,}", percent(sure), span(Interval(*right))]
        for low, high, n, sure, right in zip(
            after.low, after.high, after.count, after.confidence, after.right, strict=True
        )
    ]
    told = table(
        ("confidence", "images", "mean", "right, %"), bins, "Calibrated, clean, by confidence", kind="figures"
    )
    content += folded("By confidence", told, printed=False)
    rows = []
    for name, answers in conditions:
        judged = conformal.judge(labels, fitted.sets(answers))
        rows.append([name, span(judged.coverage), f"{judged.size:.2f}", percent(judged.single)])
    content += "<h3>Sets of classes</h3>"
    content += paragraph(
        f"Instead of one class it can name a set, to hold the true one in {percent(fitted.promise, 0)} of images.",
        "quiet",
    )
    heads = ("images", "hold it, %", "classes on average", "sets of one class")
    return Html(content + table(heads, rows, "How the sets hold", kind="figures"))


def _under_shift(facts: Facts, fitted: calibration.Calibration) -> str:
    if facts.result.shifted is None:
        return ""
    labels, answers = facts.result.labels, facts.result.shifted
    before, after = (calibration.scores(labels, table) for table in (answers, fitted.apply(answers)))
    sure, right = percent(after.confidence.value), percent(after.accuracy.value)
    said = f" Under the shift it says {sure} and is right in {right}."
    if after.ece.value > before.ece.high:
        said += " The temperature fits images like those it was fitted on alone: here it makes the probabilities worse."
    return said


def _scored(facts: Facts, conditions: list[tuple[str, np.ndarray]], fitted: calibration.Calibration) -> Html:
    rows = []
    for name, answers in conditions:
        for how, values in (("as the network says", answers), ("calibrated", fitted.apply(answers))):
            one = calibration.scores(facts.result.labels, values)
            rows.append(
                [
                    f"{name}, {how}",
                    span(one.confidence),
                    span(one.ece),
                    f"{one.brier.value:.3f}",
                    f"{one.nll.value:.3f}",
                ]
            )
    heads = ("images", "mean confidence, %", "calibration error, %", "Brier score", "log loss")
    return table(heads, rows, "How far the probabilities are to be believed", kind="figures")


def _drawn(one: calibration.Reliability) -> Points:
    return Points(one.confidence, one.right, one.count)


def kinds(facts: Facts) -> Html:
    """Accuracy by kinds of images, the surest loss first, and whether any is worse than chance would bring."""
    assert facts.dataset is not None, "the section is left out without the dataset"
    some = kinds_of(facts.dataset, facts.result.index, facts.marks)
    right = facts.result.probabilities.argmax(1) == facts.result.labels
    judged = slices.judge(some, right, facts.result.labels)
    if judged.empty:
        return paragraph("All images are alike in what is known of them.")
    titles = [f"{slices.FAMILIES[some[place].family]}: {some[place].title}" for place in judged["place"]]
    worse = (judged["adjusted"] < slices.SURE) & (judged["difference"] < 0)
    if worse.any():
        row = judged[worse].iloc[0]
        said = (
            f"Weakest: {titles[int(worse.to_numpy().argmax())].lower().replace(': ', ', ', 1)}: "
            f"{percent(row['accuracy'])} of {int(row['n']):,} images right, {percent(row['rest'])} of the others. "
        )
        said += (
            "Its classes can explain that: with them the others would have "
            if row["expected"] <= row["high"]
            else "Its classes alone do not explain that: with them the others would have "
        ) + f"{percent(row['expected'])}."
    else:
        said = f"No kind of image is surely worse than the others, of the {len(judged):,} looked at."
    rows = [
        Row(
            some[int(row["place"])].key,
            text(title),
            int(row["n"]),
            float(row["accuracy"]),
            float(row["low"]),
            float(row["high"]),
            float(row["rest"]),
            bool(bad),
        )
        for title, bad, (_, row) in zip(titles, worse, judged.iterrows(), strict=True)
    ]
    figure = slices_chart(rows, float(right.mean()))
    heads = (
        "kind",
        "images",
        "right, %",
        "others, %",
        "with its classes, %",
        "difference, points",
        "adjusted p",
    )
    cells = [_cells(title, row) for title, (_, row) in zip(titles, judged.iterrows(), strict=True)]
    return Html(
        paragraph(said, "lead")
        + chart(
            figure, "Accuracy of each kind of image with its 95 % interval, the surest loss first", least=460
        )
        + folded(
            "As a table",
            table(heads, cells, "Accuracy by kinds of images, clean", kind="figures"),
            printed=False,
        )
        + paragraph(_small_print(judged, some), "quiet")
    )


def _small_print(judged: pd.DataFrame, some: Sequence[slices.Slice]) -> str:
    """What was looked at, how chance is reckoned with, and of how many images little can be said."""
    families = {some[int(place)].family for place in judged["place"]}
    told = (
        f"Of {len(judged):,} kinds about {len(judged) * slices.SURE:.0f} would look different by chance at p < 0.05: "
        "so p (Fisher's exact test) is adjusted for their number after Holm, and only what stays below 0.05 is called "
        f"worse. Intervals are not adjusted; of fewer than {slices.FEW} images (few) they are wide."
    )
    return told if "finding" in families else f"{told} No findings of a scan are among these images."


def _cells(title: str, row: "pd.Series[float]") -> list[object]:
    difference = [100 * float(row[key]) for key in ("difference", "difference_low", "difference_high")]
    value, low, high = (f"{one:+.1f}".replace("-", "−") for one in difference)
    accuracy = Interval(float(row["accuracy"]), float(row["low"]), float(row["high"]))
    told = Html(f"{value}<small>{low} to {high}</small>")
    return [
        title,
        Html(f"{int(row['n']):,}" + ("<small>few</small>" if row["n"] < slices.FEW else "")),
        span(accuracy),
        _points(row["rest"]),
        _points(row["expected"]),
        told,
        "< 0.001" if row["adjusted"] < 0.001 else f"{row['adjusted']:.3f}",
    ]


def _points(share: float) -> str:
    return "–" if share != share else f"{100 * share:.1f}"

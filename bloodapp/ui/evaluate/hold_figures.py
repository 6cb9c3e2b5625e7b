"""What the corruption suite comes to: three figures in words, and the benchmark's own definitions beside."""

from html import escape

import streamlit as st

from bloodapp.augment.corruptions import ALL_CORRUPTIONS
from bloodapp.evaluate import suite as room
from bloodapp.evaluate.metrics import Interval
from bloodapp.evaluate.robustness import ALEXNET, Baseline
from bloodapp.evaluate.suite import Suite
from bloodapp.runs.run import list_runs
from bloodapp.ui import state
from bloodapp.ui.evaluate.reading import Reading
from bloodapp.ui.text import percent

_LITTLE = 0.02  # what a corruption may cost before it is said to cost something


def headline(found: Suite) -> None:
    """Wrong as they are, under the shift and under the eleven corruptions, and what that means in a sentence."""
    kinds = (
        ("clean", "wrong as they are", "clean"),
        ("shifted", "wrong under the shift", "shifted"),
        ("corrupted", "mean corruption error", "mean_corruption_error"),
    )
    scores = "".join(_score(kind, what, found.interval(name)) for kind, what, name in kinds)
    lines = "".join(f'<p class="quiet">{escape(line)}</p>' for line in _small_print(found))
    said = escape(sentence(found)).replace(" %", "&nbsp;%")
    words = f'<p class="lead">{said}</p>{lines}'
    st.html(f'<div class="hold-verdict">{scores}<div class="words">{words}</div></div>')


def sentence(found: Suite) -> str:
    """What the suite says, in a sentence or two."""
    means = found.by_corruption
    order = sorted(means, key=lambda name: -means[name])
    (first, worst), (second, next_) = ((ALL_CORRUPTIONS[name].title, means[name]) for name in order[:2])
    safe = sum(error < found.clean + _LITTLE for error in means.values())
    mean = (
        f"Under the eleven corruptions it names {percent(found.mean_corruption_error)} wrong on average, each class "
        f"counting the same, against {percent(found.clean)} as they are."
    )
    if safe == len(means):
        return (
            f"{mean} None of the {len(means)} costs it 2 points; the worst is “{first}” ({percent(worst)})."
        )
    return (
        f"{mean} It breaks first under “{first}” ({percent(worst)}) and “{second}” ({percent(next_)}); {safe} of "
        f"{len(means)} cost it less than 2 points."
    )


def _small_print(found: Suite) -> list[str]:
    every = found.interval("mean_of_all")
    four = f" Over all {len(ALL_CORRUPTIONS)}, with our four: {_within(every)}." if every else ""
    return [
        f"Each of these {len(found.labels):,} images at five severities of each corruption, the same draws for every "
        f"run, so that two runs compare.{four}"
    ]


def details(reading: Reading, found: Suite) -> None:
    """The benchmark's two figures against a baseline of one's choice, folded."""
    with st.expander("As MedMNIST-C reports it: errors divided by a baseline's"):
        baselines = {one.name: one for one in _baselines(reading)}
        current = str(state.get("hold_against") or ALEXNET.name)
        current = current if current in baselines else ALEXNET.name
        state.show("hold-against-box", current)
        st.selectbox(
            "Baseline",
            list(baselines),
            format_func=lambda name: baselines[name].title,
            key="hold-against-box",
            width=380,
            on_change=_keep_baseline,
        )
        st.html(_table(found, baselines[current]))


def _keep_baseline() -> None:
    chosen = st.session_state["hold-against-box"]
    state.put("hold_against", None if chosen == ALEXNET.name else chosen)


def _baselines(reading: Reading) -> list[Baseline]:
    """The published AlexNet, and every other run that was judged on the same part of the same images."""
    found = [ALEXNET]
    for run in list_runs():
        same = run.config.get("fingerprint") == reading.run.config.get("fingerprint")
        if same and run.name != reading.run.name and (told := room.summary(run, reading.part)):
            found.append(Baseline(run.name, run.title, told["clean"]["value"], told["by_corruption"]))
    return found


def _table(found: Suite, baseline: Baseline) -> str:
    result = found.against(baseline)
    heads = ("corruption", "this run", "baseline", "balanced error (BE)", "relative (rBE)")
    rows = []
    for name in sorted(result.balanced, key=lambda name: -found.by_corruption[name]):
        cells = (
            percent(found.by_corruption[name]),
            percent(baseline.errors[name]),
            _quotient(result.balanced[name]),
            _quotient(result.relative[name]),
        )
        rows.append((ALL_CORRUPTIONS[name].title, *cells))
    both = _quotient(result.mean_balanced), _quotient(result.mean_relative)
    rows.append(("Mean of the eleven", percent(found.mean_corruption_error), "", *both))
    head = "".join(f"<th>{escape(one)}</th>" for one in heads)
    body = "".join(f"<tr>{''.join(f'<td>{escape(cell)}</td>' for cell in row)}</tr>" for row in rows)
    note = (
        "BE: the run's error divided by the baseline's, below 1 is better than it. rBE: the same of what is lost "
        "against clean images."
    )
    if baseline is ALEXNET:
        note += (
            " The published AlexNet learned and was judged on the BloodMNIST of 224 pixels, and two corruptions are "
            "drawn otherwise here: take it as a yardstick, not as a rank."
        )
    return (
        f'<div class="scroll"><table class="figures"><thead><tr>{head}</tr></thead><tbody>{body}</tbody></table></div>'
        f'<p class="quiet">{escape(note)}</p>'
    )


def _quotient(value: float) -> str:
    return "–" if value != value else f"{value:.2f}"


def _within(figure: Interval) -> str:
    return f"{percent(figure.value)} (95 %: {100 * figure.low:.1f} to {100 * figure.high:.1f})"


def _score(kind: str, what: str, score: Interval | None) -> str:
    if score is None:
        return f'<div class="score {kind}"><span>{escape(what)}</span><b>–</b></div>'
    number = percent(score.value).removesuffix(" %")
    return (
        f'<div class="score {kind}"><span>{escape(what)}</span><b>{number}<em>%</em></b>'
        f"<small>95 %: {100 * score.low:.1f} to {100 * score.high:.1f}</small></div>"
    )

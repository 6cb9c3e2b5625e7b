"""What `evaluate --corruptions` adds: the suite followed to its end, its table, and its part of the JSON."""

from typing import TYPE_CHECKING, Any

from bloodapp.cli import terminal
from bloodapp.cli.work import follow

if TYPE_CHECKING:
    from bloodapp.evaluate.suite_result import Suite
    from bloodapp.runs.run import Run


def judged(run: "Run", part: str | None) -> "Suite | int":
    """The finished suite on a part (test if there is one), worked out or gone on with where need be; else an exit code.

    It is the job that the page starts as well: what is through is not done again, and a second terminal only watches.
    What the run carries needs no job, nor the images.
    """
    from bloodapp.errors import NotFound
    from bloodapp.evaluate import suite
    from bloodapp.evaluate.evaluate import parts_of

    available = parts_of(run)
    used = part or next(iter(available), "")
    if used not in available:
        raise NotFound(f"a part of run '{run.name}' called", used, available)
    found = suite.find(run, used)
    if found is not None and found.finished:
        return found
    job = suite.submit(run, used)
    again = f"evaluate {run.name} --corruptions" + (f" --part {part}" if part else "")
    if job.state() != "done" and (code := follow(job, again=again)):
        return code
    found = suite.find(run, used)
    assert found is not None and found.finished
    return found


def figures(found: "Suite") -> dict[str, Any]:
    """The suite as plain JSON: balanced errors by corruption and severity, their means with intervals, BE and rBE."""
    from bloodapp.workspace import finite

    against = found.relative_error
    intervals: dict[str, float] = {}
    for name in ("clean", "shifted", "mean_corruption_error", "mean_of_all"):
        if one := found.interval(name):
            intervals |= {name: one.value, f"{name}_low": one.low, f"{name}_high": one.high}
    content: dict[str, Any] = finite(
        {
            "part": found.part,
            "n": len(found.labels),
            **intervals,
            "severities": list(found.severities),
            "balanced_error": {
                name: row.tolist() for name, row in zip(found.corruptions, found.balanced_error, strict=True)
            },
            "class_error": {
                name: table.tolist() for name, table in zip(found.corruptions, found.errors, strict=True)
            },
            "baseline": against.baseline.title,
            "be": {**against.balanced, "mean": against.mean_balanced},
            "rbe": {**against.relative, "mean": against.mean_relative},
        }
    )
    return content


def show(found: "Suite") -> None:
    """Print the balanced error by corruption, the worst first, at each severity and on average; then the means."""
    from bloodapp.augment.corruptions import CORRUPTIONS

    print(f"\nbalanced error under corruptions, {len(found.labels):,} images of the {found.part} part")
    means = found.by_corruption
    rows: list[tuple[object, ...]] = [("corruption", *map(str, found.severities), "mean", "")]
    for name in sorted(means, key=lambda name: -means[name]):
        row = found.balanced_error[found.corruptions.index(name)]
        ours = "" if name in CORRUPTIONS else "not of MedMNIST-C"
        rows.append(
            (name, *(terminal.percent(float(one)) for one in row), terminal.percent(means[name]), ours)
        )
    terminal.table(rows)
    print()
    words = {
        "clean": "wrong as they are",
        "shifted": "wrong under the shift",
        "mean_corruption_error": "mean corruption error, the eleven",
        "mean_of_all": "mean corruption error, all fifteen",
    }
    told = []
    for name, title in words.items():
        if one := found.interval(name):
            ends = f"95 % interval {terminal.percent(one.low)} to {terminal.percent(one.high)}"
            told.append((title, terminal.percent(one.value), ends))
    terminal.table(told)

"""`cost` and `rates` on the command line: the figures of what was measured; the measuring has tests of its own."""

from collections.abc import Callable
from dataclasses import replace

import pytest

from bloodapp import cli
from bloodapp.cli import cost as commands
from bloodapp.data.dataset import Dataset
from bloodapp.jobs.job import Job
from bloodapp.train import costs, finder
from bloodapp.train.costs import Cost, Step
from bloodapp.train.settings import from_settings

FULL = Step("full", 96, 0.3, 1.3, 0.001, memory_mib=1536.0, gpu_memory_mib=None, trainable=1_900_000)


def performed(job: Job) -> int:
    """In place of the child process: the result of either job."""
    if job.kind == "cost":
        asked = costs.deciding(from_settings(job.params["recipe"]))
        costs.keep(Cost(asked, (FULL, replace(FULL, size=64)), parameters=2_000_000))
    else:
        tried = finder.rising(30)
        lost = (*[2.0] * 29, None)
        finder.write(job.folder, finder.Rates(tuple(tried.tolist()), lost, 3.2e-4, 3.2e-4, 1e-3))
    return 0


def told(
    capsys: pytest.CaptureFixture[str],
    monkeypatch: pytest.MonkeyPatch,
    *words: str,
    follow: Callable[[Job], int],
) -> tuple[int, list[str]]:
    """A command's exit code and lines."""
    monkeypatch.setattr(commands, "follow", follow)
    code = cli.main(list(words))
    return code, capsys.readouterr().out.splitlines()


def test_cost_tells_time_memory_and_parameters(
    tiny: Dataset, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """One figure a line, its name first; the settings on the command line count, and so do repeats."""
    words = (
        "cost",
        "tiny",
        "--recipe",
        "plain",
        "--set",
        "minutes=0",
        "--set",
        "epochs=10",
        "--set",
        "batch=8",
    )
    code, lines = told(capsys, monkeypatch, *words, follow=performed)
    assert code == 0
    assert [line.split()[0] for line in lines] == ["time", "memory", "parameters"]
    assert "10 epochs (27 images/s measured on this computer)" in lines[0]
    assert lines[1].split()[1:] == ["1.5", "GB"]
    assert lines[2].endswith("2,000,000, of which 1,900,000 learn")
    _, thrice = told(capsys, monkeypatch, *words, "--repeats", "3", follow=performed)
    once_s, thrice_s = (_seconds(each[0]) for each in (lines, thrice))
    assert abs(thrice_s - 3 * once_s) <= 3


def test_rates_suggest_first(
    tiny: Dataset, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch
) -> None:
    """The suggestion on a line of its own, then every other rate with its loss."""
    code, lines = told(capsys, monkeypatch, "rates", "tiny", "--recipe", "plain", follow=performed)
    assert code == 0
    assert lines[0] == "0.00032"
    assert lines[1].split() == ["1.0e-07", "2.000"]
    assert len(lines) == 16


@pytest.mark.parametrize("command", ["cost", "rates"])
def test_what_fails_gives_its_exit_code(
    tiny: Dataset, capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, command: str
) -> None:
    """Nothing is printed of a job that ended without a result."""
    assert told(capsys, monkeypatch, command, "tiny", follow=lambda job: 2) == (2, [])


def _seconds(line: str) -> int:
    words = line.partition("at most ")[2].partition(",")[0].split()
    return sum(
        int(n) * {"h": 3600, "min": 60, "s": 1}[unit] for n, unit in zip(words[::2], words[1::2], strict=True)
    )

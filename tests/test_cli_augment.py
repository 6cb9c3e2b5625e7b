"""`augment` on the command line: what it prints, its mistakes, and that a break leaves nothing."""

import signal
import subprocess
import sys
from pathlib import Path

import numpy as np
import pytest

from bloodapp.cli import main
from bloodapp.data.dataset import Dataset, list_datasets, open_dataset

MUCH = ("--pipeline", "noise(20)", "--copies", "50", "--out", "made")


def broken_off(how: signal.Signals) -> tuple[int, str]:
    """Exit code and stderr of a large expansion of the tiny dataset that gets a signal while it draws copies."""
    command = [sys.executable, "-m", "bloodapp", "augment", "tiny", *MUCH]
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True) as child:
        assert child.stderr is not None
        for line in child.stderr:
            if "Drawing copies" in line:
                break
        child.send_signal(how)
        out, told = child.communicate(timeout=60)
        assert out == ""
        return child.returncode, told


def test_it_prints_the_new_name_and_the_counts(tiny: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    """The name alone on stdout, images of each class before and after on stderr; each pipeline draws its copies."""
    words = [
        "augment",
        "tiny",
        "--pipeline",
        "flip",
        "--pipeline",
        "noise(20)",
        "--copies",
        "2",
        "--out",
        "made",
    ]
    assert main([*words, "--seed", "3"]) == 0
    said = capsys.readouterr()
    assert said.out == "made\n"
    assert "6 →      30 eosinophil" in said.err and "240 images, 192 of them drawn" in said.err
    made = open_dataset("made")
    assert len(made) == 240 and made.source["seed"] == 3
    assert main([*words, "--seed", "3", "--replace"]) == 0
    assert open_dataset("made").fingerprint == made.fingerprint


def test_balance_fills_the_classes_up(tiny: Dataset, capsys: pytest.CaptureFixture[str]) -> None:
    """All classes come to the size of the largest."""
    assert main(["augment", "tiny", "--pipeline", "flip|crop(0.2)", "--balance", "--out", "even"]) == 0
    assert set(np.bincount(open_dataset("even").labels)) == {7}
    assert capsys.readouterr().out == "even\n"


@pytest.mark.parametrize(
    ("words", "said"),
    [
        (["--pipeline", "r4", "--out", "made"], "mixes labels"),
        (["--pipeline", "none", "--out", "made"], "changes nothing"),
        (["--pipeline", "flap", "--out", "made"], "can't find 'flap'"),
        (["--pipeline", "flip", "--out", "tiny"], "choose another name"),
        (["--pipeline", "flip", "--out", "tiny", "--replace"], "choose another name"),
        (["--pipeline", "flip", "--out", "a/b"], "cannot be used as a name"),
        (["--pipeline", "flip", "--out", "made", "--copies", "51"], "from 1 to 50"),
        (["--pipeline", "flip", "--out", "made", "--copies", "0"], "from 1 to 50"),
        (["--pipeline", "flip", "--out", "made", "--copies", "2", "--balance"], "leave --copies out"),
        (["--pipeline", "flip", "--out", "made", "--seed", "-1"], "seed"),
    ],
)
def test_mistakes_are_one_line_and_two(
    tiny: Dataset, capsys: pytest.CaptureFixture[str], words: list[str], said: str
) -> None:
    """One sentence on stderr, exit code 2, and no dataset."""
    assert main(["augment", "tiny", *words]) == 2
    told = capsys.readouterr()
    assert said in told.err and told.err.count("\n") == 1 and told.out == ""
    assert list_datasets() == ["tiny"]


def test_ctrl_c_leaves_nothing(tiny: Dataset, home: Path) -> None:
    """Stopped in the middle: exit code 130, no traceback, no dataset and no hidden folder."""
    code, told = broken_off(signal.SIGINT)
    assert code == 130 and "Traceback" not in told and told.endswith("bloodapp: Stopped.\n")
    assert sorted(path.name for path in (home / "datasets").iterdir()) == [".lock", "tiny"]


def test_a_kill_leaves_no_dataset(tiny: Dataset, home: Path) -> None:
    """Killed in the middle there is no such dataset, and the next attempt sweeps up and succeeds."""
    code, _ = broken_off(signal.SIGKILL)
    assert code == -signal.SIGKILL and list_datasets() == ["tiny"]
    assert main(["augment", "tiny", "--pipeline", "flip", "--out", "made"]) == 0
    assert sorted(path.name for path in (home / "datasets").iterdir()) == [".lock", "made", "tiny"]

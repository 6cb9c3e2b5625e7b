"""How long the command line takes to answer."""

import subprocess
import sys

import pytest

from tests.benchmarks.measure import PATIENCE_S, ROOT, TURNS, in_turns, seconds
from tests.benchmarks.report import row

pytestmark = pytest.mark.timeout(PATIENCE_S)


def test_help() -> None:
    """`python -m bloodapp --help` against a Python that does nothing."""

    def start(*arguments: str) -> float:
        return seconds(
            lambda: subprocess.run([sys.executable, *arguments], cwd=ROOT, check=True, capture_output=True)
        )

    found = in_turns(
        {"ours": lambda: start("-m", "bloodapp", "--help"), "peer": lambda: start("-c", "pass")}, 3 * TURNS
    )
    row("CLI start, --help", found["ours"], found["peer"], unit="s", than="python -c pass")

"""kill -9 at any moment of an import: the workspace is as it was, or has the new dataset whole; the next one works."""

import os
import subprocess
import sys
from pathlib import Path

import pytest

from tests.sources_made import IMAGES, LABELS, arrays


@pytest.mark.skipif(not hasattr(os, "fork"), reason="forks")
def test_killed_at_everything_it_does_to_the_disk(home: Path, tmp_path: Path) -> None:
    """Once at each file that is opened, moved or removed, and at random moments between, new and replacing."""
    old = arrays("old.npz", images=IMAGES[:8], labels=LABELS[:8])(tmp_path)
    new = arrays("new.npz", images=IMAGES, labels=LABELS)(tmp_path)
    command = [sys.executable, "-m", "tests.killing", str(old), str(new)]
    done = subprocess.run(command, capture_output=True, text=True)
    assert done.returncode == 0, done.stderr[-3000:]
    assert int(done.stdout.splitlines()[-1]) > 40

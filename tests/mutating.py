"""Imports mutated inputs in a process of its own: `python -m tests.mutating EXAMPLES SEED` prints what came of it."""

import json
import os
import sys
import time
import warnings
from collections import Counter
from pathlib import Path
from tempfile import TemporaryDirectory

from hypothesis import HealthCheck, Phase, given, settings
from hypothesis import seed as seeded
from hypothesis import strategies as st

from tests.mutated import Change, changes, imported, in_time, lay, peak, repacked, seeds, sound_again


def main(examples: int, seed: int) -> None:
    """Try so many, and print what came of them."""
    warnings.simplefilter("ignore")  # as for a user, who is told by the refusal alone
    seen: Counter[str] = Counter()
    figures = {"slowest_s": 0.0, "refused": 0, "listed": 0, "tried": 0}
    each = max(1, -(-examples // len(seeds())))

    def attempt(kind: str, change: list[Change], inside: bool) -> None:
        one = seeds()[kind]
        content = one.content
        if inside and content.startswith(b"PK"):
            content = repacked(content, change)
        else:
            for step in change:
                content = step.of(content)
            content = sound_again(one.name, content) if inside else content
        with TemporaryDirectory() as folder, in_time(f"{kind} {change} {inside}"):
            begun = time.perf_counter()
            os.environ["BLOODAPP_HOME"] = f"{folder}/home"
            (Path(folder) / "source").mkdir()
            said, listed = imported(lay(Path(folder) / "source", one, content))
            figures["slowest_s"] = max(figures["slowest_s"], time.perf_counter() - begun)
        seen[kind] += 1
        figures["tried"] += 1
        figures["refused"] += bool(said)
        figures["listed"] += bool(listed)

    for kind in seeds():
        one_kind = given(st.just(kind), changes, st.booleans())(attempt)
        quietly = settings(
            max_examples=each,
            deadline=None,
            database=None,
            phases=(Phase.generate, Phase.shrink),
            suppress_health_check=list(HealthCheck),
        )
        seeded(seed)(quietly(one_kind))()
    print(json.dumps({**figures, "kinds": len(seen), "peak": peak()}))


if __name__ == "__main__":
    main(int(sys.argv[1]), int(sys.argv[2]))

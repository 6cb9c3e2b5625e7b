"""The shape of the house, stated as data and checked against the imports in the code.

Rooms import downwards only; TensorFlow stands at the top of a few named modules; Streamlit is known
to the pages alone; and a server that has shown Home, Review and Evaluate has not imported TensorFlow.
"""

import ast
import re
import subprocess
import sys
import textwrap
from collections.abc import Iterator
from itertools import pairwise
from pathlib import Path

import pytest

from bloodapp.data.dataset import Dataset
from bloodapp.review.scan import scan
from tests.made import make_run

ROOT = Path(__file__).resolve().parents[1]

LAYERS: tuple[tuple[str, ...], ...] = (
    ("app", "pages"),
    ("ui", "cli"),
    ("review", "augment", "train", "evaluate", "classify"),
    ("jobs", "runs", "data"),
    ("workspace", "classes", "errors"),
)
"""From top to bottom: a room imports rooms of lower layers."""

BESIDE = {
    ("train", "augment"),
    ("evaluate", "classify"),
    ("evaluate", "augment"),
    ("review", "classify"),
    ("runs", "jobs"),
    ("runs", "data"),
    ("workspace", "errors"),
    ("classes", "errors"),
    ("app", "ui"),
    ("pages", "ui"),
}
"""What may be imported within a layer: (who, whom)."""

CHARTS_USED_BY = {"app", "pages", "ui", "cli", "evaluate"}
CHARTS_USE = {"classes"}

HEAVY = {"tensorflow", "keras", "keras_cv"}
HEAVY_AT_THE_TOP = {
    "bloodapp.augment.drawing",
    "bloodapp.augment.keyed",
    "bloodapp.augment.layers",
    "bloodapp.augment.own",
    "bloodapp.augment.parting",
    "bloodapp.train.models",
    "bloodapp.train.ensemble",
    "bloodapp.train.scratch",
    "bloodapp.train.applications",
    "bloodapp.train.convnext",
    "bloodapp.train.mobilenetv3",
    "bloodapp.train.weights",
    "bloodapp.train.optimizers",
    "bloodapp.train.rates",
    "bloodapp.train.average",
    "bloodapp.train.checkpoint",
    "bloodapp.train.devices",
    "bloodapp.train.judge",
    "bloodapp.train.results",
    "bloodapp.train.feed",
    "bloodapp.train.fit",
    "bloodapp.train.callback",
    "bloodapp.classify.predictor",
    "bloodapp.classify.explain",
    "bloodapp.train.combine",
}
"""The modules that import TensorFlow, Keras or keras_cv; others import these inside functions only."""

KERAS_CV_ONLY_IN = {"bloodapp.augment.layers"}

DISTRIBUTIONS = {"PIL": "pillow", "sklearn": "scikit-learn", "keras_cv": "keras-cv"}
"""Distributions that are not called like the module that they bring."""

FIXED = {"imagehash"}
"""Packages that belong to the project whether or not its own code imports them yet."""

MOST_LINES = 400
MOST_LINES_OF_A_PAGE = 120


def sources() -> list[Path]:
    """Every module of the product."""
    return [
        ROOT / "app.py",
        *sorted((ROOT / "pages").glob("*.py")),
        *sorted((ROOT / "bloodapp").rglob("*.py")),
    ]


def module_of(path: Path) -> str:
    """A path as a dotted name, `bloodapp.data.dataset`."""
    parts = path.relative_to(ROOT).with_suffix("").parts
    return ".".join(parts[:-1] if parts[-1] == "__init__" else parts)


def room_of(module: str) -> str:
    """`bloodapp.data.dataset` is in `data`, `pages.1_Review` in `pages`; the package itself is in no room."""
    parts = module.split(".")
    return (parts[1] if len(parts) > 1 else "") if parts[0] == "bloodapp" else parts[0]


def imports(path: Path) -> Iterator[tuple[str, bool, int]]:
    """What a file imports: (module, whether at the top, line). Names of packages' modules are resolved."""
    tree = ast.parse(path.read_text(encoding="utf-8"))
    inner = {
        id(node)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.FunctionDef | ast.AsyncFunctionDef | ast.Lambda)
        for node in ast.walk(outer)
    }
    typing_only = {
        id(node)
        for outer in ast.walk(tree)
        if isinstance(outer, ast.If) and "TYPE_CHECKING" in ast.unparse(outer.test)
        for node in ast.walk(outer)
    }
    for node in ast.walk(tree):
        top = id(node) not in inner and id(node) not in typing_only
        if isinstance(node, ast.Import):
            yield from ((alias.name, top, node.lineno) for alias in node.names)
        elif isinstance(node, ast.ImportFrom):
            assert not node.level, f"{path}:{node.lineno}: relative import"
            name = node.module or ""
            for alias in node.names:
                inside = ROOT.joinpath(*name.split("."), alias.name)
                is_module = inside.with_suffix(".py").exists() or inside.is_dir()
                yield (f"{name}.{alias.name}" if is_module else name), top, node.lineno


def level(room: str) -> int:
    """The layer of a room, 0 at the top."""
    for number, rooms in enumerate(LAYERS):
        if room in rooms:
            return number
    raise AssertionError(f"'{room}' has no place in LAYERS")


def allowed(who: str, whom: str) -> bool:
    """Whether a module of one room may import from another."""
    if who == whom or "" in (who, whom):
        return True
    if whom == "charts":
        return who in CHARTS_USED_BY
    if who == "charts":
        return whom in CHARTS_USE
    if who == "__main__":
        return whom == "cli"
    return (who, whom) in BESIDE or level(who) < level(whom)


def test_imports_run_one_way() -> None:
    """No room imports from above, nor from beside but where BESIDE says so."""
    broken = []
    for path in sources():
        who = room_of(module_of(path))
        for name, _, line in imports(path):
            if name.split(".")[0] == "bloodapp" and not allowed(who, room_of(name)):
                broken.append(f"{path.relative_to(ROOT)}:{line}: {who} imports {name}")
    assert broken == []


def test_streamlit_stays_in_the_pages() -> None:
    """Only app.py, pages/ and bloodapp/ui import Streamlit."""
    broken = [
        f"{path.relative_to(ROOT)}:{line}"
        for path in sources()
        for name, _, line in imports(path)
        if name.split(".")[0] == "streamlit" and room_of(module_of(path)) not in ("app", "pages", "ui")
    ]
    assert broken == []


def test_tensorflow_stands_in_few_places() -> None:
    """TensorFlow and Keras are at the top of the named modules only, and those are imported inside functions."""
    broken = []
    for path in sources():
        module = module_of(path)
        for name, top, line in imports(path):
            heavy = name.split(".")[0] in HEAVY or name in HEAVY_AT_THE_TOP
            if heavy and top and module not in HEAVY_AT_THE_TOP:
                broken.append(f"{path.relative_to(ROOT)}:{line}: {name}")
            if name.split(".")[0] == "keras_cv" and module not in KERAS_CV_ONLY_IN:
                broken.append(f"{path.relative_to(ROOT)}:{line}: {name} outside {KERAS_CV_ONLY_IN}")
    assert broken == []


def test_named_modules_exist() -> None:
    """A module that was renamed is renamed in the rules, too."""
    known = {module_of(path) for path in sources()}
    assert known >= HEAVY_AT_THE_TOP
    rooms = {room_of(module) for module in known} - {"", "__main__", "charts"}
    assert rooms == {room for layer in LAYERS for room in layer}


def test_files_have_one_job() -> None:
    """No file over 400 lines, no page over 120."""
    long = []
    for path in sources():
        number = len(path.read_text(encoding="utf-8").splitlines())
        most = MOST_LINES_OF_A_PAGE if room_of(module_of(path)) in ("app", "pages") else MOST_LINES
        if number > most:
            long.append(f"{path.relative_to(ROOT)}: {number} lines")
    assert long == []


def test_no_catch_all_modules() -> None:
    """Nothing is called utils, managers or helpers."""
    names = {part for path in sources() for part in module_of(path).split(".")}
    assert names.isdisjoint({"utils", "util", "manager", "managers", "helper", "helpers", "common", "misc"})


def test_requirements_are_what_is_imported() -> None:
    """requirements.txt pins exactly what the product imports, with a reason above each."""
    lines = (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines()
    pinned = {}
    for before, line in pairwise(lines):
        if line and not line.startswith("#"):
            name, _, version = line.partition("==")
            pinned[normal(name)] = version
            assert before.startswith("#"), f"no reason above {line}"
            assert re.fullmatch(r"[0-9][0-9.]*", version), f"{line} is not pinned"
    outside = {name.split(".")[0] for path in sources() for name, _, _ in imports(path)}
    outside -= {*sys.stdlib_module_names, "bloodapp"}
    imported = {normal(DISTRIBUTIONS.get(name, name)) for name in outside}
    assert set(pinned) == imported | FIXED


def test_lock_holds_the_requirements() -> None:
    """Every direct dependency is in the lock at its version; nothing in the lock is a path or an address."""
    lock = (ROOT / "requirements.lock").read_text(encoding="utf-8").splitlines()
    locked = {normal(line.split("==")[0]): line.split("==")[1] for line in lock if "==" in line}
    for line in (ROOT / "requirements.txt").read_text(encoding="utf-8").splitlines():
        if "==" in line and not line.startswith("#"):
            name, _, version = line.partition("==")
            assert locked[normal(name)] == version
    for line in lock:
        assert line.startswith("#") or re.fullmatch(r"[A-Za-z0-9._-]+==[A-Za-z0-9.]+", line), line


def normal(name: str) -> str:
    """A distribution's name as indexes compare it."""
    return re.sub(r"[-_.]+", "-", name).lower()


@pytest.mark.parametrize("script", ["app.py", "pages/1_Review.py", "pages/3_Train.py", "pages/4_Evaluate.py"])
def test_page_renders_without_tensorflow(tiny: Dataset, script: str) -> None:
    """The process that has drawn this page, and all views of it, with findings and a run knows no TensorFlow."""
    scan(tiny)
    make_run(tiny, "made")
    said = in_a_new_process(
        f"""
        import sys
        from streamlit.testing.v1 import AppTest
        from bloodapp.ui import background

        class Idle:
            def wake(self): pass

        background.runner = Idle
        page = AppTest.from_file("app.py", default_timeout=60)
        if {script!r} != "app.py":
            page.switch_page({script!r})
        page.query_params["dataset"] = "tiny"
        page.query_params["run"] = "made"
        page.run()
        assert not page.exception, page.exception
        from bloodapp.ui.evaluate.page import VIEWS
        for view in VIEWS if "Evaluate" in {script!r} else ():
            page.query_params["view"] = view
            page.run()
            assert not page.exception, (view, page.exception)
        print("heavy:", sorted({HEAVY!r} & set(sys.modules)))
        """
    )
    assert said.splitlines()[-1] == "heavy: []"


def test_command_line_starts_without_heavy_modules() -> None:
    """`--help` imports neither TensorFlow nor pandas nor Streamlit."""
    said = in_a_new_process(
        """
        import sys
        from bloodapp.cli import parser
        parser()
        print("heavy:", sorted({"tensorflow", "keras", "pandas", "streamlit", "scipy"} & set(sys.modules)))
        """
    )
    assert said.splitlines()[-1] == "heavy: []"


def in_a_new_process(code: str) -> str:
    """What a fresh Python says when it runs the code in the repository's root."""
    done = subprocess.run(
        [sys.executable, "-c", textwrap.dedent(code)], cwd=ROOT, capture_output=True, text=True, timeout=120
    )
    assert done.returncode == 0, done.stderr
    return done.stdout

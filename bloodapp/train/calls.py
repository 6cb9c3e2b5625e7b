"""Small declared lists as text: `dropout(0.5)|dense(256, relu, l2=1e-4)`. Heads and phases are written so.

Calls joined by `|`; arguments are numbers or words, by place or by name. It is read as a Python expression
and nothing in it is ever evaluated.
"""

import ast
from collections.abc import Collection, Mapping
from dataclasses import dataclass, field

from bloodapp.errors import InvalidValue

Value = float | int | str


@dataclass(frozen=True)
class Call:
    """One call of a text.

    Attributes:
        name: what is called.
        args: the values given by place.
        named: the values given by name.
    """

    name: str
    args: tuple[Value, ...] = ()
    named: Mapping[str, Value] = field(default_factory=dict)


def read(text: str, what: str) -> list[Call]:
    """The calls of a text, in order; none for an empty one. Raises InvalidValue that names `what` and the place."""
    if not text.strip():
        return []
    try:
        tree: ast.expr = ast.parse(text.strip(), mode="eval").body
    except (SyntaxError, ValueError, RecursionError, MemoryError):
        raise InvalidValue(
            f"{what} cannot be read: write it as in dropout(0.5)|dense(256), not '{text}'."
        ) from None
    parts = []
    while isinstance(tree, ast.BinOp) and isinstance(tree.op, ast.BitOr):
        parts.append(tree.right)
        tree = tree.left
    return [_call(part, what) for part in [tree, *reversed(parts)]]


def number(
    call: Call, place: int, name: str, default: float | None, low: float, high: float, what: str
) -> float:
    """The number at a place or under a name of a call, within its bounds; raises InvalidValue."""
    by_place = 0 <= place < len(call.args)
    if by_place and name in call.named:
        raise InvalidValue(f"{what}: {call.name} is given {name} twice.")
    value = call.args[place] if by_place else call.named.get(name, default)
    if value is None:
        raise InvalidValue(f"{what}: {call.name} needs {name}, from {low:g} to {high:g}.")
    if isinstance(value, str) or not low <= value <= high:
        raise InvalidValue(f"{what}: {call.name} takes {name} from {low:g} to {high:g}, not {value}.")
    return value


def whole(
    call: Call, place: int, name: str, default: float | None, low: float, high: float, what: str
) -> int:
    """As `number`, for numbers that count something."""
    value = number(call, place, name, default, low, high, what)
    if value != int(value):
        raise InvalidValue(f"{what}: {call.name} takes a whole number of {name}, not {value:g}.")
    return int(value)


def expect(call: Call, places: int, names: Collection[str], what: str) -> None:
    """Raise InvalidValue if a call has more than so many values by place, or one under a name that it does not know."""
    if len(call.args) > places:
        raise InvalidValue(
            f"{what}: {call.name} takes {places or 'no'} value{'s' if places != 1 else ''} by place, "
            f"not {len(call.args)}."
        )
    if unknown := [name for name in call.named if name not in names]:
        known = f"takes {', '.join(names)}" if names else "takes no values by name"
        raise InvalidValue(f"{what}: {call.name} {known}, not {unknown[0]}.")


def _call(node: ast.expr, what: str) -> Call:
    if isinstance(node, ast.Name):
        return Call(node.id)
    if not isinstance(node, ast.Call) or not isinstance(node.func, ast.Name):
        raise InvalidValue(f"{what}: '{ast.unparse(node)}' is not a step such as dropout(0.5).")
    if any(not each.arg for each in node.keywords):
        raise InvalidValue(f"{what}: '{ast.unparse(node)}' is not a step such as dropout(0.5).")
    named = {each.arg: _value(each.value, what) for each in node.keywords if each.arg}
    return Call(node.func.id, tuple(_value(each, what) for each in node.args), named)


def _value(node: ast.expr, what: str) -> Value:
    if isinstance(node, ast.Name):
        return node.id
    if (
        isinstance(node, ast.Constant)
        and isinstance(node.value, int | float)
        and not isinstance(node.value, bool)
    ):
        return node.value
    if isinstance(node, ast.Constant) and isinstance(node.value, str):
        return node.value
    raise InvalidValue(f"{what}: '{ast.unparse(node)}' is neither a number nor a word.")

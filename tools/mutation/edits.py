"""What may be changed in a module: one small edit of its syntax tree at a time. Standard library only.

Comparisons, `and` and `or`, `not`, arithmetic, constants, conditions, returned values, defaults of arguments, `break`
and `continue`, `any` and `all`, `min` and `max`; and statements that are left out. Left alone: docstrings,
annotations, decorators, what is said to people (arguments of gettext), and `if TYPE_CHECKING`.
"""

from __future__ import annotations

import ast
from collections.abc import Iterator
from dataclasses import dataclass

COMPARED: dict[type[ast.cmpop], type[ast.cmpop]] = {
    ast.Lt: ast.LtE,
    ast.LtE: ast.Lt,
    ast.Gt: ast.GtE,
    ast.GtE: ast.Gt,
    ast.Eq: ast.NotEq,
    ast.NotEq: ast.Eq,
    ast.Is: ast.IsNot,
    ast.IsNot: ast.Is,
    ast.In: ast.NotIn,
    ast.NotIn: ast.In,
}
COMPUTED: dict[type[ast.operator], type[ast.operator]] = {
    ast.Add: ast.Sub,
    ast.Sub: ast.Add,
    ast.Mult: ast.Div,
    ast.Div: ast.Mult,
    ast.FloorDiv: ast.Mult,
    ast.Mod: ast.Mult,
    ast.BitOr: ast.BitAnd,
    ast.BitAnd: ast.BitOr,
}
CALLED = {"any": "all", "all": "any", "min": "max", "max": "min"}
SAID = frozenset({"_", "gettext", "gettext_lazy", "ngettext", "pgettext", "npgettext"})
FUNCTIONS = (ast.FunctionDef, ast.AsyncFunctionDef)


@dataclass(frozen=True, slots=True)
class Place:
    """Where an edit lies. `function` is the outermost function that holds it, blank at the level of the module."""

    function: str
    first_line: int  # of the innermost statement, for a compound one of its head
    last_line: int


@dataclass(frozen=True, slots=True)
class Edit:
    """`parent.field`, or its item at `index`, is replaced by `new`."""

    place: Place
    kind: str
    line: int
    old: str
    parent: ast.AST
    field: str
    index: int | None
    new: ast.AST
    default_of: str = ""  # the argument whose default it is

    @property
    def said(self) -> str:
        return f"{self.old} → {_words(self.new)}"

    def apply(self) -> None:
        if self.index is None:
            setattr(self.parent, self.field, self.new)
        else:
            getattr(self.parent, self.field)[self.index] = self.new


def edits_of(tree: ast.Module) -> list[Edit]:
    """Every edit, in the order of the text: the same tree gives the same list."""
    return list(_in_body(tree, Place("", 1, 1), ""))


def edited(source: str, number: int) -> ast.Module:
    """The tree of `source` with its edit of that number made."""
    tree = ast.parse(source)
    edits_of(tree)[number].apply()
    return ast.fix_missing_locations(tree)


def _in_body(node: ast.AST, place: Place, prefix: str) -> Iterator[Edit]:
    for field, value in ast.iter_fields(node):
        if field in ("annotation", "returns", "decorator_list", "type_params"):
            continue
        if isinstance(value, ast.AST):
            yield from _at(value, node, field, None, place, prefix)
        elif isinstance(value, list):
            for index, child in enumerate(value):
                if isinstance(child, ast.AST):
                    yield from _at(child, node, field, index, place, prefix)


def _at(
    node: ast.AST, parent: ast.AST, field: str, index: int | None, place: Place, prefix: str
) -> Iterator[Edit]:
    """The edits of a node, then those of what stands in it."""
    if _is_left_alone(node):
        return
    if isinstance(node, ast.ClassDef) and not place.function:
        yield from _in_body(node, place, f"{prefix}{node.name}.")
        return
    if isinstance(node, FUNCTIONS) and not place.function:
        place = Place(prefix + node.name, node.lineno, node.lineno)
        yield from _defaults(node.args, place)
        for number, statement in enumerate(node.body):
            yield from _at(statement, node, "body", number, place, prefix)
        return
    if isinstance(node, ast.stmt):
        place = Place(place.function, node.lineno, _head_ends(node))
    for kind, new in _instead_of(node, field, place):
        yield Edit(place, kind, _line(node, place), _words(node), parent, field, index, new)
    yield from _in_body(node, place, prefix)


def _defaults(arguments: ast.arguments, place: Place) -> Iterator[Edit]:
    """Defaults of an outermost function: a function that exists has them beside its code."""
    plain = [*arguments.posonlyargs, *arguments.args]
    plain = plain[len(plain) - len(arguments.defaults) :]
    for field, owners in (("defaults", plain), ("kw_defaults", arguments.kwonlyargs)):
        for index, (owner, node) in enumerate(zip(owners, getattr(arguments, field), strict=True)):
            if isinstance(node, ast.Constant):
                for _kind, new in _constants(node.value):
                    yield Edit(
                        place, "default", node.lineno, _words(owner) + "=" + _words(node),
                        arguments, field, index, new, owner.arg,
                    )  # fmt: skip


def _line(node: ast.AST, place: Place) -> int:
    return getattr(node, "lineno", place.first_line)


def _words(node: ast.AST) -> str:
    return ast.unparse(node).partition("\n")[0]


def _is_left_alone(node: ast.AST) -> bool:
    match node:
        case ast.Expr(value=ast.Constant()):
            return True  # a docstring, or `...`
        case ast.If(test=ast.Name(id="TYPE_CHECKING")) | ast.Import() | ast.ImportFrom():
            return True
        case ast.Call(func=ast.Name(id=name)):
            return name in SAID
    return isinstance(node, ast.JoinedStr)


def _head_ends(statement: ast.stmt) -> int:
    body = getattr(statement, "body", None)
    if isinstance(body, list) and body and not isinstance(statement, ast.Match):
        return max(statement.lineno, body[0].lineno - 1)
    return statement.lineno if isinstance(statement, ast.Match) else statement.end_lineno or statement.lineno


def _instead_of(node: ast.AST, field: str, place: Place) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(node, ast.expr) and field in ("test", "ifs", "guard"):
        yield "condition turned round", ast.UnaryOp(ast.Not(), node)
    match node:
        case ast.Compare(left=left, ops=[op], comparators=right) if type(op) in COMPARED:
            yield "comparison", ast.Compare(left, [COMPARED[type(op)]()], right)
        case ast.Compare(left=left, ops=[one, two], comparators=right):
            yield "comparison", ast.Compare(left, [COMPARED[type(one)](), two], right)
            yield "comparison", ast.Compare(left, [one, COMPARED[type(two)]()], right)
        case ast.BoolOp(op=op, values=values):
            yield "and, or", ast.BoolOp(ast.Or() if isinstance(op, ast.And) else ast.And(), values)
            for gone in range(len(values)):
                rest = values[:gone] + values[gone + 1 :]
                yield "part left out", rest[0] if len(rest) == 1 else ast.BoolOp(op, rest)
        case ast.UnaryOp(op=ast.Not(), operand=operand):
            yield "not", operand
        case ast.BinOp(left=left, op=op, right=right) if type(op) in COMPUTED:
            yield "arithmetic", ast.BinOp(left, COMPUTED[type(op)](), right)
        case ast.Constant(value=value):
            yield from _constants(value)
        case ast.Call(func=ast.Name(id=name), args=args, keywords=keywords) if name in CALLED:
            yield "call", ast.Call(ast.Name(CALLED[name], ast.Load()), args, keywords)
        case ast.Return(value=value) if value is not None and not isinstance(value, ast.Constant):
            yield "returned value", ast.Return(ast.Constant(None))
        case ast.Break():
            yield "break, continue", ast.Continue()
        case ast.Continue():
            yield "break, continue", ast.Break()
        case ast.Expr() | ast.AugAssign() | ast.Raise() | ast.Delete() if place.function:
            yield "statement left out", ast.Pass()


def _constants(value: object) -> Iterator[tuple[str, ast.AST]]:
    if isinstance(value, bool):
        yield "constant", ast.Constant(not value)
    elif isinstance(value, (int, float)):
        yield "constant", ast.Constant(value + 1)
    elif isinstance(value, str):
        yield "constant", ast.Constant(f"{value}XX")

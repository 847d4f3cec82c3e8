"""Make small changes in a program, one at a time: the slips a test must notice.

`mutants` takes the code of a solution and yields it with a line left out, a comparison turned, an
argument dropped, two lines swapped, an ``await`` forgotten, and so on. The tools that do this to
whole projects (mutmut, cosmic-ray) change files and start a test run for each change; here the
code is a text of a few lines, and what they do not change matters most: ``await``, ``try``,
``finally`` and the order of lines.
"""

import ast
import difflib
import warnings
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any

_DEFS = (ast.FunctionDef, ast.AsyncFunctionDef, ast.ClassDef)
_BLOCKS = ("body", "orelse", "finalbody")
_TURNED = {
    ast.Eq: [ast.NotEq],
    ast.NotEq: [ast.Eq],
    ast.Lt: [ast.LtE, ast.Gt],
    ast.LtE: [ast.Lt, ast.Gt],
    ast.Gt: [ast.GtE, ast.Lt],
    ast.GtE: [ast.Gt, ast.Lt],
    ast.Is: [ast.IsNot],
    ast.IsNot: [ast.Is],
    ast.In: [ast.NotIn],
    ast.NotIn: [ast.In],
    ast.Add: [ast.Sub],
    ast.Sub: [ast.Add],
    ast.Mult: [ast.Add],
    ast.And: [ast.Or],
    ast.Or: [ast.And],
    ast.BitOr: [ast.BitAnd],
    ast.BitAnd: [ast.BitOr],
}
_PAIRS = (
    ("popleft", "pop"),
    ("append", "appendleft"),
    ("any", "all"),
    ("min", "max"),
    ("add", "discard"),
    ("_getters", "_putters"),
    ("EVENT_READ", "EVENT_WRITE"),
)
_OTHER_NAME = {a: b for pair in _PAIRS for a, b in (pair, pair[::-1])}


@dataclass(frozen=True)
class Mutant:
    """A changed program; `what` says in one line what was changed."""

    what: str
    code: str


def mutants(source: str, names: tuple[str, ...]) -> list[Mutant]:
    """Return the mutants of `source`, each once, in the order of its lines.

    names: the definitions to change ("drive", "Future.result"); docstrings, annotations, imports
    and the texts of errors are left alone.
    """
    tree = _bare(ast.parse(source))
    tops = {name.partition(".")[0] for name in names}
    before = ast.unparse(tree)
    seen, found = {before}, []
    for top in tree.body:
        if tops & set(_names(top)):
            for _ in _each_change(top):
                code = ast.unparse(ast.fix_missing_locations(tree))
                if code not in seen and _compiles(code):
                    seen.add(code)
                    found.append(Mutant(_difference(before, code), code + "\n"))
    return _numbered(found)


def _names(top: ast.stmt) -> list[str]:
    targets = top.targets if isinstance(top, ast.Assign) else []
    return [getattr(top, "name", ""), *(t.id for t in targets if isinstance(t, ast.Name))]


def _numbered(found: list[Mutant]) -> list[Mutant]:
    """Tell apart equal changes of equal lines."""
    times: dict[str, int] = {}
    result = []
    for mutant in found:
        times[mutant.what] = count = times.get(mutant.what, 0) + 1
        what = mutant.what if count == 1 else f"{mutant.what} ({count})"
        result.append(Mutant(what, mutant.code))
    return result


def _compiles(code: str) -> bool:
    try:
        with warnings.catch_warnings():
            warnings.simplefilter("ignore")
            compile(code, "mutant", "exec", dont_inherit=True)
    except (SyntaxError, ValueError):  # such as a `break` whose loop became an `if`
        return False
    return True


def _difference(before: str, after: str) -> str:
    old, new = ([line.strip() for line in text.splitlines()] for text in (before, after))
    gone, come = [], []
    for tag, a, b, c, d in difflib.SequenceMatcher(None, old, new, False).get_opcodes():
        if tag != "equal":
            gone += old[a:b]
            come += new[c:d]
    if sorted(gone) == sorted(come):
        return f"moved: {gone[0]}"
    sides = [" / ".join(line for line in side if line) for side in (gone, come)]
    return f"left out: {sides[0]}" if sides[1] in ("", "pass") else " -> ".join(sides)


# -- every place, and what may stand there instead ---------------------------------------------


def _each_change(top: ast.AST) -> Iterator[None]:
    """Put each change into the tree, yield, and take it out again."""
    left_alone = _texts_of_errors(top)
    for node in list(ast.walk(top)):
        if id(node) not in left_alone:
            for field, old in list(ast.iter_fields(node)):
                for new in _others(node, field, old):
                    setattr(node, field, new)
                    yield
                setattr(node, field, old)


def _texts_of_errors(top: ast.AST) -> set[int]:
    calls = [
        n.exc for n in ast.walk(top) if isinstance(n, ast.Raise) and isinstance(n.exc, ast.Call)
    ]
    return {id(node) for call in calls for node in ast.walk(call)}


def _others(node: ast.AST, field: str, old: Any) -> Iterator[Any]:
    """Yield what may stand in `field` of `node` in the place of `old`."""
    if field in _BLOCKS and isinstance(old, list):
        yield from _other_blocks(node, old)
    elif isinstance(old, list):
        yield from _other_lists(node, field, old)
    elif isinstance(old, ast.expr):
        if not _is_fixed(node, field):
            yield from _other_values(old)
        if field == "test":
            yield old.operand if _is_not(old) else ast.UnaryOp(ast.Not(), old)
        if field in ("cause", "lower", "upper", "step"):
            yield None
        if field == "value" and isinstance(node, ast.Assign | ast.Return | ast.Yield):
            yield ast.Constant(None)
        if isinstance(node, ast.ExceptHandler):
            yield from _other_errors(old)
    elif isinstance(old, ast.operator | ast.boolop):
        yield from (turned() for turned in _TURNED.get(type(old), ()))
    elif field in ("attr", "id") and old in _OTHER_NAME:
        yield _OTHER_NAME[old]
    elif isinstance(node, ast.Constant) and field == "value":
        yield from _other_constants(old)


def _other_blocks(node: ast.AST, block: list[ast.stmt]) -> Iterator[list[ast.stmt]]:
    for at, statement in enumerate(block):
        before, after = block[:at], block[at + 1 :]
        for changed in _other_statements(statement):
            yield [*before, *changed, *after] or [ast.Pass()]
        if isinstance(statement, ast.Expr) and (after or isinstance(node, ast.For | ast.While)):
            yield [*before, ast.Return(statement.value), *after]
        if after and not _are_apart(statement, after[0]):
            yield [*before, after[0], statement, *after[1:]]


def _are_apart(one: ast.stmt, other: ast.stmt) -> bool:
    """Tell whether the order of two statements cannot matter: assignments of different names."""
    if isinstance(one, _DEFS) or isinstance(other, _DEFS):
        return True
    active = (ast.Call, ast.Await, ast.Yield, ast.Return, ast.Raise, ast.Break, ast.Continue)
    if any(isinstance(n, active) for s in (one, other) for n in ast.walk(s)):
        return False
    used = [{ast.unparse(n) for n in ast.walk(s) if hasattr(n, "ctx")} for s in (one, other)]
    stored = [
        {ast.unparse(n) for n in ast.walk(s) if isinstance(getattr(n, "ctx", 0), ast.Store)}
        for s in (one, other)
    ]
    return not (stored[0] & used[1] or stored[1] & used[0])


def _ends(block: list[ast.stmt]) -> bool:
    return isinstance(block[-1], ast.Return | ast.Raise | ast.Break | ast.Continue)


def _other_statements(node: ast.stmt) -> Iterator[list[ast.stmt]]:
    """Yield what may stand in the place of a statement: nothing, or other statements."""
    yield []
    match node:
        case ast.Try():
            yield [*node.body, *node.orelse, *node.finalbody]
            if node.handlers and node.finalbody:
                yield [ast.Try(node.body, node.handlers, node.orelse, []), *node.finalbody]
                yield [ast.Try(node.body, [], [], node.finalbody)]
        case ast.With() | ast.AsyncWith():
            yield node.body
        case ast.While():
            yield [ast.If(node.test, node.body, node.orelse)]
        case ast.If(orelse=[]):
            yield node.body
            if not _ends(node.body):
                yield [ast.While(node.test, node.body, [])]
        case ast.If():
            yield node.body
            yield node.orelse
        case ast.For() | ast.AsyncFor() if not _ends(node.body):
            yield [type(node)(node.target, node.iter, [*node.body, ast.Break()], node.orelse)]
        case ast.Return(value=ast.expr()):
            yield [ast.Expr(node.value)]
        case ast.Break():
            yield [ast.Continue()]
            yield [ast.Return()]
        case ast.Continue():
            yield [ast.Break()]
            yield [ast.Return()]
        case ast.AugAssign():
            yield [ast.Assign([node.target], node.value)]
        case ast.Assign(targets=[ast.Attribute() | ast.Subscript()], value=ast.Call()):
            yield [ast.Expr(node.value)]


def _other_lists(node: ast.AST, field: str, old: list) -> Iterator[list]:
    droppable = field in ("args", "keywords", "values", "handlers", "decorator_list", "ifs")
    if isinstance(node, ast.arguments | ast.JoinedStr):
        return
    if droppable and not (field in ("values", "handlers") and len(old) == 1):
        yield from (old[:at] + old[at + 1 :] for at in range(len(old)))
    if field in ("args", "elts"):
        for at in range(len(old) - 1):
            yield [*old[:at], old[at + 1], old[at], *old[at + 2 :]]
    for at, item in enumerate(old):
        others = ()
        if isinstance(item, ast.expr) and field not in ("targets", "decorator_list"):
            others = _other_values(item)
        elif isinstance(item, ast.cmpop):
            others = [turned() for turned in _TURNED.get(type(item), ())]
        yield from ([*old[:at], other, *old[at + 1 :]] for other in others)


def _other_values(node: ast.expr) -> Iterator[ast.expr]:
    match node:
        case ast.Await():
            yield node.value
        case ast.UnaryOp(op=ast.Not() | ast.USub()):
            yield node.operand
        case ast.IfExp():
            yield node.body
            yield node.orelse
        case ast.BoolOp(values=[_, _]):
            yield from node.values
        case ast.BinOp():
            yield node.left
            yield node.right
        case ast.Subscript(ctx=ast.Load()):
            yield node.value


def _other_errors(caught: ast.expr) -> Iterator[ast.expr]:
    """Yield what catches more than `caught`; BaseException, the most, becomes Exception."""
    name = caught.id if isinstance(caught, ast.Name) else ""
    if name != "BaseException":
        yield ast.Name("BaseException", ast.Load())
    if name != "Exception":
        yield ast.Name("Exception", ast.Load())


def _other_constants(value: Any) -> Iterator[Any]:
    match value:
        case bool():
            yield not value
        case int() | float():
            yield value + 1
        case str():
            yield f"not {value}"
        case bytes():
            yield b"not " + value
        case None:
            yield 0


def _is_fixed(node: ast.AST, field: str) -> bool:
    return field in ("func", "type", "target", "annotation", "returns")


def _is_not(node: ast.expr) -> bool:
    return isinstance(node, ast.UnaryOp) and isinstance(node.op, ast.Not)


def _bare(tree: ast.Module) -> ast.Module:
    """Take docstrings and annotations out: no test can notice a change there."""
    for node in ast.walk(tree):
        body = getattr(node, "body", None)
        if isinstance(body, list):
            node.body = [_unannotated(s) for s in body if not _is_text(s)] or [ast.Pass()]
        if isinstance(node, ast.arg):
            node.annotation = None
        if isinstance(node, ast.FunctionDef | ast.AsyncFunctionDef):
            node.returns = None
    return ast.fix_missing_locations(tree)


def _unannotated(node: ast.stmt) -> ast.stmt:
    if isinstance(node, ast.AnnAssign) and node.value is not None:
        return ast.Assign([node.target], node.value)
    return node


def _is_text(node: ast.stmt) -> bool:
    return isinstance(node, ast.Expr) and isinstance(node.value, ast.Constant)

"""Suspended frames: the chain of them, the expression each one awaits, and what it holds, as text.

The text is the same on every run and every Python: no addresses, and objects that have no telling
`repr` are called by their type and a number, "Queue 1". Nothing here may disturb the program that
is looked at: no exception of a `__repr__` gets out, and no object is kept alive.
"""

import ast
import enum
import functools
import gc
import inspect
import linecache
import operator
import re
import reprlib
import sys
import textwrap
import types
import weakref
from collections.abc import Callable, Iterator
from typing import Any, NamedTuple

PLAIN = (int, float, str, bytes, bool, type(None))
_CONTAINERS = (list, tuple, set, frozenset, dict)
_NAMED = (
    types.FunctionType,
    types.BuiltinFunctionType,
    types.MethodType,
    types.ModuleType,
    type,
)
_UNSET: Any = object()
_SHORT = {int, float, bool, type(None)}
DEEPEST = 1000  # frames of one chain
KEEPS_LOCALS = sys.version_info < (3, 13)
OPTIMIZED = inspect.CO_OPTIMIZED
_ADDRESS = re.compile(r"0x[0-9a-fA-F]{4,}")
_FOLD = {
    ast.Add: operator.add,
    ast.Sub: operator.sub,
    ast.Mult: operator.mul,
    ast.Div: operator.truediv,
}


class FrameView(NamedTuple):
    """One suspended frame: where it stands, and its local names with what they hold, as text."""

    function: str
    file: str
    line: int
    source: str
    locals: tuple[tuple[str, str], ...]


# -- the chain ------------------------------------------------------------------------------------


def frame_of(obj: Any) -> types.FrameType | None:
    """Return the frame of a coroutine or a generator of any kind, None once it is finished."""
    for name in ("cr_frame", "gi_frame", "ag_frame"):
        frame = getattr(obj, name, None)
        if frame is not None:
            return frame
    return None


def awaited_by(obj: Any) -> Any:
    """Return what a suspended coroutine or generator waits for itself, None for nothing."""
    for name in ("cr_await", "gi_yieldfrom", "ag_await"):
        inner = getattr(obj, name, None)
        if inner is not None:
            return _look_through(inner)
    return None


def chain(obj: Any) -> Iterator[Any]:
    """Yield `obj`, what it awaits, what that awaits, and so on; at most 1,000 of them."""
    for _ in range(DEEPEST):
        if obj is None:
            return
        yield obj
        obj = awaited_by(obj)


def _look_through(obj: Any) -> Any:
    """Return what an opaque helper of the interpreter stands for (``anext(agen)``, a future's)."""
    if type(obj).__name__ in ("async_generator_asend", "async_generator_athrow"):
        wanted: Callable = inspect.isasyncgen
    elif type(obj).__name__ == "coroutine_wrapper":
        wanted = inspect.iscoroutine
    elif type(obj).__name__ == "FutureIter":
        wanted = is_future
    elif inspect.isgenerator(obj) and obj.__name__ in ("__await__", "__iter__"):
        owner = obj.gi_frame and _read_locals(obj.gi_frame, ("self",)).get("self")
        return owner if is_future(owner) else obj
    else:
        return obj
    return next(filter(wanted, gc.get_referents(obj)), obj)


def is_future(obj: Any) -> bool:
    """Say whether `obj` is a future or a task, of asyncio, of the course, or of the reader."""
    return _is_future_type(type(obj))


def is_task(obj: Any) -> bool:
    """Say whether `obj` is a task of any of them."""
    return _is_task_type(type(obj))


@functools.lru_cache(256)
def _is_future_type(kind: type) -> bool:
    return hasattr(kind, "_asyncio_future_blocking") and not issubclass(kind, type)


@functools.lru_cache(256)
def _is_task_type(kind: type) -> bool:
    return _is_future_type(kind) and hasattr(kind, "get_coro")


# -- local names, without keeping them ------------------------------------------------------------


def _read_locals(frame: types.FrameType, names: tuple[str, ...] | None) -> dict[str, Any]:
    """Return the local variables called `names` (None: all) that are set.

    Before Python 3.13 a frame keeps the dictionary it hands out, and with it every object in it:
    emptied again, unless the program holds that dictionary (``locals()``) itself.
    """
    space = frame.f_locals
    found = dict(space) if names is None else {n: space[n] for n in names if n in space}
    if KEEPS_LOCALS and frame.f_code.co_flags & OPTIMIZED and sys.getrefcount(space) <= 3:
        space.clear()
    return found


def locals_of(frame: types.FrameType) -> dict[str, Any]:
    """Return a frame's own variables in the order of its code; not a module's."""
    code = frame.f_code
    if not code.co_flags & OPTIMIZED:
        names = [name for name in code.co_names if name in frame.f_locals]
        return {n: v for n in names if not _is_furniture(v := frame.f_locals[n])}
    order = (*code.co_varnames, *code.co_cellvars, *code.co_freevars)
    found = _read_locals(frame, None)
    return {name: found[name] for name in dict.fromkeys(order) if name in found}


def _is_furniture(value: Any) -> bool:
    return isinstance(value, types.ModuleType | types.FunctionType | type) or callable(value)


# -- objects, by stable names ---------------------------------------------------------------------


class Labels:
    """Gives objects a text that is the same on every run: "Queue 1", "Task 'main'", ``[1, 2]``.

    task_name: a function from a task to its name; `get_name` unless given.
    """

    def __init__(self, task_name: Callable[[Any], str] | None = None) -> None:
        self._task_name = task_name or (lambda task: task.get_name())
        self._numbers: dict[int, tuple[int, Any]] = {}
        self.counts: dict[str, int] = {}
        self._sockets: dict[int, int] = {}
        self._short = reprlib.Repr()
        self._short.maxstring = self._short.maxother = 40

    def of(self, value: Any, depth: int = 2) -> str:
        """Return the text for `value`; never raises."""
        try:
            return self._of(value, depth)
        except Exception:
            return f"{type(value).__name__} (its repr fails)"

    def is_lasting(self, value: Any) -> bool:
        """Say whether the text of `value` will always be the same."""
        known = self._numbers.get(id(value))
        if known is not None and known[1]() is value:
            return True
        return isinstance(value, _NAMED) or inspect.isgenerator(value) or is_task(value)

    def _of(self, value: Any, depth: int) -> str:
        kind = type(value)
        if kind is float:
            return number(value)
        if kind in PLAIN:
            return self._short.repr(value)
        if kind in _CONTAINERS:
            return self._container(value, depth)
        if is_task(value):
            return self._task_name(value)
        if is_future(value):
            return self.numbered(value)
        if inspect.iscoroutine(value) or inspect.isgenerator(value) or inspect.isasyncgen(value):
            return f"{value.__name__}()"
        if isinstance(value, _NAMED):
            return value.__name__
        if isinstance(value, enum.Enum):
            return str(value)
        if kind.__repr__ is object.__repr__:
            return self.numbered(value)
        text = repr(value)
        if "<" in text or _ADDRESS.search(text):
            return self.numbered(value)
        return text if len(text) <= 60 else text[:57] + "..."

    def _container(self, value: Any, depth: int) -> str:
        opening, closing = {list: "[]", tuple: "()", dict: "{}"}.get(type(value), "{}")
        if not value:
            return (
                f"{type(value).__name__}()"
                if isinstance(value, set | frozenset)
                else opening + closing
            )
        if not depth:
            return f"{opening}...{closing}"
        items = list(value.items() if isinstance(value, dict) else value)
        parts = [self._item(item, isinstance(value, dict), depth - 1) for item in items[:6]]
        if isinstance(value, set | frozenset):
            parts = sorted(self.of(item, depth - 1) for item in items)[:6]
        if len(items) > 6:
            parts.append("...")
        comma = "," if isinstance(value, tuple) and len(items) == 1 else ""
        return f"{opening}{', '.join(parts)}{comma}{closing}"

    def _item(self, item: Any, pair: bool, depth: int) -> str:
        if pair:
            return f"{self.of(item[0], depth)}: {self.of(item[1], depth)}"
        return self.of(item, depth)

    def of_socket(self, key: Any) -> str:
        """Return the text for what a selector listens to; `key` is the selector's."""
        sock = key.fileobj if hasattr(key.fileobj, "getsockopt") else None
        kind = "server socket" if sock is not None and _listens(sock) else "socket"
        number = self._sockets.setdefault(key.fd, len(self._sockets) + 1)
        return f"{kind} {number}"

    def numbered(self, value: Any) -> str:
        """Return the type of `value` and its number among those of its type seen so far."""
        name = type(value).__name__.lstrip("_")
        known = self._numbers.get(id(value))
        if known is None or known[1]() is not value:
            try:
                known = (self.counts.get(name, 0) + 1, weakref.ref(value))
            except TypeError:  # cannot be told from a later one at the same address
                return name
            self.counts[name] = known[0]
            self._numbers[id(value)] = known
        return f"{name} {known[0]}"


def _listens(sock: Any) -> bool:
    import socket

    try:
        return bool(sock.getsockopt(socket.SOL_SOCKET, socket.SO_ACCEPTCONN))
    except (OSError, AttributeError):
        return False


def number(value: float) -> str:
    """Return a float as short as six digits tell it: 0.1 + 0.2 is 0.3."""
    text = repr(value)
    return text if len(text) <= 8 else repr(float(f"{value:.6g}"))


def view(frame: types.FrameType, labels: Labels) -> FrameView:
    """Return where a frame stands and what it holds."""
    code = frame.f_code
    source = linecache.getline(code.co_filename, frame.f_lineno, frame.f_globals).strip()
    found = tuple((name, labels.of(value)) for name, value in locals_of(frame).items())
    return FrameView(code.co_name, code.co_filename, frame.f_lineno, source, found)


# -- the awaited expression -----------------------------------------------------------------------


class Site:
    """One ``await`` in the source: its expression, and the plain names in it that have values.

    It is found once for each instruction; `read` notes the values at each wait, `text` puts them
    in: ``download(n)`` becomes ``download(3)``.
    """

    def __init__(self, frame: types.FrameType) -> None:
        code = frame.f_code
        self._prefix, self._tree = _awaited_expression(code, frame.f_lasti, frame.f_globals)
        namespace = {**frame.f_globals, **_read_locals(frame, None)}
        if _in_library(frame.f_globals):  # a task made of `sleep(1)` itself
            self._prefix, self._tree = "", ast.Call(ast.Name(code.co_name), [], [])
        for node in ast.walk(self._tree) if self._tree else ():
            if isinstance(node, ast.Call):
                node.func = _without_module(node.func, namespace)
        self.code, self.lasti = code, frame.f_lasti  # kept, so that its id stays its own
        self.known = self._tree is not None
        self._bare = self._tree.id if isinstance(self._tree, ast.Name) else None
        self.names = tuple(dict.fromkeys(_argument_names(self._tree)))
        self._roots = tuple(dict.fromkeys(name.split(".")[0] for name in self.names))
        # What is noted if it has no names, so that it is the same each time.
        self.constant = (self, ()) if self.known and not self.names else None
        self._texts: dict[tuple, str] = {}

    def read(self, frame: types.FrameType, index_of: Callable[[Any], int | None]) -> tuple:
        """Return what the names hold now: plain values, or for a bare name the index of a task."""
        if self._bare:
            space = _read_locals(frame, self._roots)
            return (index_of(space.get(self._bare, frame.f_globals.get(self._bare))),)
        if self.names != self._roots:  # there are dots
            space = _read_locals(frame, self._roots)
            return tuple(_plain(_dotted(name, space, frame.f_globals)) for name in self.names)
        space, outer = frame.f_locals, frame.f_globals
        found = [
            value if (value := space.get(name, _UNSET)) is not _UNSET else outer.get(name, ...)
            for name in self.names
        ]
        if KEEPS_LOCALS and self.code.co_flags & OPTIMIZED and sys.getrefcount(space) <= 3:
            space.clear()  # as `_read_locals` does
        return tuple([value if type(value) in _SHORT else _plain(value) for value in found])

    def read_shot(self, roll: list, place: int) -> tuple | None:
        """Do as `read`, from the shot of the frame that a camera has taken; None if it cannot."""
        names = roll[place + 2]
        if self._bare or self.names != self._roots or not names:
            return None
        found = []
        for name in self.names:
            if name not in names:
                return None
            value = roll[place + 3 + names.index(name)]
            found.append(value if type(value) in PLAIN else ...)
        return tuple(found)

    def text(self, values: tuple, task_name: Callable[[int], str]) -> str:
        """Return the expression with `values`; only where it is `known`."""
        if self._bare:
            return self._bare if values[:1] in ((), (None,)) else task_name(values[0])
        key = values, tuple(map(type, values))  # True is not 1
        if key not in self._texts:
            known = {n: v for n, v in zip(self.names, values, strict=True) if v is not ...}
            self._texts[key] = self._prefix + ast.unparse(_Values(known).visit(_copy(self._tree)))
        return self._texts[key]


def _in_library(namespace: dict[str, Any]) -> bool:
    package, _, rest = str(namespace.get("__name__", "")).partition(".")
    return package == "asyncio" or (
        package in ("asyncio_lessons", "my_asyncio") and not rest.startswith(("demos", "classroom"))
    )


def _copy(tree: ast.AST) -> ast.AST:
    return ast.parse(ast.unparse(tree), mode="eval").body


def _awaited_expression(
    code: types.CodeType, lasti: int, namespace: dict[str, Any]
) -> tuple[str, ast.AST | None]:
    """Return ("async with " and the like, the expression) of the await at this instruction."""
    try:
        line, end_line, column, end_column = _position(code, lasti)
        lines = linecache.getlines(code.co_filename, namespace)[line - 1 : end_line]
        try:
            return _parse(lines, column, end_column)
        except SystemError:  # the parser of 3.11 loses count if a finalizer parses meanwhile
            return _parse(lines, column, end_column)
    except Exception:  # no source, or none that belongs to this code
        return "", None


def _position(code: types.CodeType, lasti: int) -> tuple:
    for index, position in enumerate(code.co_positions()):
        if index == lasti // 2:
            return position
    raise LookupError


def _parse(lines: list[str], column: int, end_column: int) -> tuple[str, ast.AST]:
    kind = re.match(r"\s*(async (?:with|for)) ", lines[0])
    segment = [line.encode() for line in lines]
    segment[-1] = segment[-1][:end_column]
    segment[0] = segment[0][column:]
    text = b"".join(segment).decode()
    if kind and text.startswith("async "):  # up to 3.12 the place is the whole statement
        body = textwrap.indent(textwrap.dedent("".join(lines)), " ")
        statement = ast.parse(f"async def _():\n{body}").body[0].body[0]
        is_loop = isinstance(statement, ast.AsyncFor)
        return f"{kind[1]} ", statement.iter if is_loop else statement.items[0].context_expr
    tree = ast.parse(f"({text}\n)", mode="eval").body
    if isinstance(tree, ast.Await | ast.YieldFrom):
        return "", tree.value
    for part in getattr(tree, "generators", ()):
        if part.is_async:
            return "async for ", part.iter
    return (f"{kind[1]} " if kind else ""), tree


def _without_module(func: ast.AST, namespace: dict[str, Any]) -> ast.AST:
    """``asyncio.sleep`` is ``sleep``: the label has little room."""
    root = func
    while isinstance(root, ast.Attribute):
        root = root.value
    is_module = isinstance(root, ast.Name) and isinstance(namespace.get(root.id), types.ModuleType)
    return ast.Name(func.attr) if is_module and isinstance(func, ast.Attribute) else func


def _argument_names(tree: ast.AST | None) -> Iterator[str]:
    """Yield the names and dotted names that stand as arguments, or the one bare name."""
    if isinstance(tree, ast.Name):
        yield tree.id
    elif tree is not None:
        for call in _calls(tree):
            for argument in (*call.args, *(keyword.value for keyword in call.keywords)):
                yield from _names(argument)


def _calls(tree: ast.AST) -> Iterator[ast.Call]:
    if isinstance(tree, ast.Call):
        yield tree
        tree = tree.func
    while isinstance(tree, ast.Attribute):
        tree = tree.value
        if isinstance(tree, ast.Call):
            yield from _calls(tree)


def _names(node: ast.AST) -> Iterator[str]:
    if isinstance(node, ast.Name | ast.Attribute):
        if (name := _dotted_name(node)) is not None:
            yield name
    elif isinstance(node, ast.Call):
        yield from _argument_names(node)
    elif isinstance(node, ast.BinOp | ast.UnaryOp | ast.Tuple | ast.List):
        for child in ast.iter_child_nodes(node):
            yield from _names(child)


def _dotted_name(node: ast.AST) -> str | None:
    parts = []
    while isinstance(node, ast.Attribute):
        parts.append(node.attr)
        node = node.value
    return ".".join([node.id, *reversed(parts)]) if isinstance(node, ast.Name) else None


def _dotted(name: str, space: dict[str, Any], namespace: dict[str, Any]) -> Any:
    """Return what a dotted name holds, running no code of the program; `...` if it cannot."""
    root, *attributes = name.split(".")
    value = space[root] if root in space else namespace.get(root, ...)
    for attribute in attributes:
        try:
            kept = inspect.getattr_static(value, attribute)
            value = getattr(value, attribute) if _is_field(kept) else kept
        except Exception:
            return ...
    return value


def _is_field(kept: Any) -> bool:
    return isinstance(kept, types.MemberDescriptorType) or type(kept).__name__ == "_tuplegetter"


def _plain(value: Any) -> Any:
    """Return a value that can be written in one word; `...` for anything else."""
    if type(value) not in PLAIN:
        return ...
    return value[:40] if isinstance(value, str | bytes) else value


class _Values(ast.NodeTransformer):
    """Puts values in the place of names that stand as arguments, and reckons what is then plain."""

    def __init__(self, known: dict[str, Any]) -> None:
        self._known = known

    def visit_Call(self, node: ast.Call) -> ast.AST:
        node.args = [self.visit(argument) for argument in node.args]
        for keyword in node.keywords:
            keyword.value = self.visit(keyword.value)
        inner = node.func
        if isinstance(inner, ast.Attribute) and isinstance(inner.value, ast.Call):
            inner.value = self.visit(inner.value)
        return node

    def _replace(self, node: ast.AST) -> ast.AST:
        name = _dotted_name(node)
        return _constant(self._known[name]) if name in self._known else node

    visit_Name = visit_Attribute = _replace

    def visit_BinOp(self, node: ast.BinOp) -> ast.AST:
        self.generic_visit(node)
        sides = [getattr(side, "value", None) for side in (node.left, node.right)]
        operation = _FOLD.get(type(node.op))
        if operation is None or not all(type(side) in (int, float) for side in sides):
            return node
        try:
            return _constant(operation(*sides))
        except (ArithmeticError, ValueError):
            return node

    def _leave(self, node: ast.AST) -> ast.AST:
        return node

    visit_Lambda = visit_GeneratorExp = visit_ListComp = visit_SetComp = visit_DictComp = _leave
    visit_JoinedStr = visit_Starred = visit_Subscript = _leave


def _constant(value: Any) -> ast.Constant:
    return ast.Constant(float(number(value)) if type(value) is float else value)

"""Read an answer before it runs, and name what in it reaches for more than any answer needs.

An answer runs in the same process as the checks, and in Python code that can reach its surroundings
can change what is found about it. So an answer that is graded may use the language, Python's
builtins and some modules, but not frames, other modules' insides, or names put together at run
time. It is a list of what is allowed, wherever such a list is possible.
"""

import ast
import builtins
import re
import sys
from collections.abc import Iterator
from importlib import import_module
from types import ModuleType

# Module: which of its names may be used; None: all but the modules it holds, and `_names`.
MODULES: dict[str, frozenset[str] | None] = dict.fromkeys(
    "bisect collections.abc contextvars copy errno heapq itertools math numbers queue random "
    "select selectors socket statistics time".split()
)
MODULES |= {
    name: frozenset(allowed.split())
    for name, allowed in {
        "__future__": "annotations",
        "abc": "ABC abstractmethod",
        "collections": "abc deque defaultdict OrderedDict Counter ChainMap namedtuple",
        "concurrent.futures": "Future ThreadPoolExecutor CancelledError TimeoutError wait",
        "contextlib": "suppress contextmanager asynccontextmanager closing aclosing ExitStack "
        "AsyncExitStack nullcontext",
        "dataclasses": "dataclass field replace",
        "enum": "Enum IntEnum Flag IntFlag auto unique",
        "functools": "partial wraps lru_cache cache cached_property reduce total_ordering "
        "cmp_to_key partialmethod",
        "gc": "collect",
        "inspect": "iscoroutine isawaitable iscoroutinefunction isgenerator isgeneratorfunction "
        "getcoroutinestate getgeneratorstate CORO_CREATED CORO_RUNNING CORO_SUSPENDED CORO_CLOSED "
        "GEN_CREATED GEN_RUNNING GEN_SUSPENDED GEN_CLOSED isfunction ismethod isclass",
        "logging": "getLogger debug info warning error exception critical DEBUG INFO WARNING ERROR",
        "operator": "add sub mul eq lt gt le ge itemgetter index",
        "reprlib": "repr recursive_repr",
        "signal": "SIGINT SIGTERM SIGUSR1 Signals getsignal set_wakeup_fd default_int_handler",
        "sys": "exc_info exception maxsize version_info float_info get_asyncgen_hooks "
        "set_asyncgen_hooks getrecursionlimit flags stdout stderr",
        "threading": "Thread Lock RLock Event Condition Semaphore Timer local get_ident "
        "current_thread main_thread",
        "traceback": "format_exception print_exc format_exc",
        "types": "coroutine CoroutineType GeneratorType GenericAlias SimpleNamespace "
        "AsyncGeneratorType FunctionType MethodType TracebackType",
        "typing": "Any Awaitable AsyncIterator AsyncGenerator Callable Coroutine Generator Generic "
        "Iterable Iterator Literal NamedTuple Optional Protocol Self TypeVar Union cast",
        "warnings": "warn",
        "weakref": "ref WeakSet WeakKeyDictionary WeakValueDictionary WeakMethod proxy finalize",
    }.items()
}
_NO_NAMES = frozenset(
    "__import__ eval exec compile open globals locals vars dir breakpoint input help".split()
)
_BY_NAME = frozenset("getattr hasattr setattr delattr".split())  # a name in quotes, or not at all
_DUNDERS = frozenset(
    f"__{name}__"
    for name in "name qualname class init new init_subclass set_name del repr str len call doc "
    "await iter next aiter anext enter exit aenter aexit contains getitem setitem delitem get set "
    "lt le gt ge add radd sub slots cause context suppress_context traceback notes "
    "class_getitem reversed index int float aclose".split()
)
# What a check would compare or ask; an answer that says what these are could please any check.
_NO_METHODS = frozenset(
    f"__{name}__"
    for name in "eq ne hash bool class getattribute getattr instancecheck subclasscheck "
    "mro_entries prepare reduce reduce_ex".split()
)
_INSIDE = re.compile(r"(f|tb|gi|cr|ag|co|func)_\w+|mro")
_PLAIN_INSIDE = frozenset(
    "tb_next gi_running gi_suspended gi_yieldfrom cr_running cr_suspended cr_await ag_running "
    "ag_await".split()
)
# Names of modules that are ordinary names of attributes, too.
_NO_MODULES = sys.stdlib_module_names - frozenset(
    "time select queue copy abc collections heapq contextvars selectors socket signal string code "
    "calendar timeit token random math statistics traceback logging".split()
)


def reaches(code: str, around: str = "") -> str:
    """Return a sentence on what an answer may not use, empty for a plain answer.

    around: the source of the module that the answer joins; its imports are names for the answer.
    Raises what `ast.parse` raises.
    """
    tree = ast.parse(code)
    for line, what in sorted(_Reader(tree, _modules(ast.parse(around))).found()):
        return (
            f"Line {line} uses {what}, which can reach what checks the answer: the grader runs "
            "no such code."
        )
    return ""


def _modules(tree: ast.Module) -> dict[str, str]:
    """Return which names stand for modules: the name to the module."""
    found = {}
    for node in ast.walk(tree):
        if isinstance(node, ast.Import):
            for alias in node.names:
                top = alias.name.partition(".")[0]
                found[alias.asname or top] = alias.name if alias.asname else top
    return found


class _Reader:
    def __init__(self, tree: ast.Module, around: dict[str, str]) -> None:
        self.tree = tree
        self.modules = {**around, **_modules(tree)}
        self.bound = {
            node.id for node in ast.walk(tree) if isinstance(node, ast.Name) and _stores(node)
        } | {node.arg for node in ast.walk(tree) if isinstance(node, ast.arg)}
        self.imported = {"aio"} | set(self.modules)
        self.called: set[int] = set()  # the names that were looked at together with their call
        self.part_of: set[int] = set()  # the names of modules that stand before a dot

    def found(self) -> Iterator[tuple[int, str]]:
        for node in ast.walk(self.tree):
            look = getattr(self, f"see_{type(node).__name__}", None)
            if look is not None:
                yield from ((getattr(node, "lineno", 0), what) for what in look(node))

    def see_Import(self, node: ast.Import) -> Iterator[str]:
        for alias in node.names:
            if alias.name not in MODULES:
                yield f"the module `{alias.name}`"

    def see_ImportFrom(self, node: ast.ImportFrom) -> Iterator[str]:
        for alias in node.names:
            self.imported.add(alias.asname or alias.name)
            if not node.level:
                yield from self.part(node.module or "", alias.name)
            elif node.level > 1 or "." in (node.module or ""):
                yield f"the package above (`{'.' * node.level}`)"
            else:
                yield from self.attribute(alias.name)

    def part(self, module: str, name: str) -> Iterator[str]:
        """Look at a name of a module."""
        allowed = MODULES.get(module, frozenset())
        if allowed is None:
            value = getattr(import_module(module), name, None)
            if isinstance(value, ModuleType) or name == "*" or name.startswith("_"):
                yield f"`{module}.{name}`"
        elif name not in allowed:
            yield f"`{module}.{name}`" if module in MODULES else f"the module `{module}`"

    def see_Name(self, node: ast.Name) -> Iterator[str]:
        name = node.id
        if id(node) in self.called or id(node) in self.part_of:
            return
        if name in _NO_NAMES | _BY_NAME or _dunder(name) and name not in _DUNDERS:
            yield f"`{name}`"
        elif name in self.modules and (name not in self.bound or name in _NO_MODULES):
            yield f"the module `{name}` as a value"
        elif _stores(node) and name in vars(builtins) and name in ("type", "super", "isinstance"):
            yield f"`{name}` for something else"

    def see_Attribute(self, node: ast.Attribute) -> Iterator[str]:
        root = node.value
        while isinstance(root, ast.Attribute):
            root = root.value
        if _stores(node) and isinstance(root, ast.Name) and root.id in self.imported - self.bound:
            yield f"a change of `{ast.unparse(node)}`"
        base = node.value
        module = self.modules.get(base.id) if isinstance(base, ast.Name) else None
        if module and (base.id not in self.bound or base.id in _NO_MODULES):
            self.part_of.add(id(base))
            yield from self.part(module, node.attr)
        else:
            yield from self.attribute(node.attr)

    def attribute(self, name: str) -> Iterator[str]:
        inside = _INSIDE.fullmatch(name) and name not in _PLAIN_INSIDE
        if inside or _dunder(name) and name not in _DUNDERS or name.lstrip("_") in _NO_MODULES:
            yield f"`.{name}`"

    def see_Call(self, node: ast.Call) -> Iterator[str]:
        name = node.func.id if isinstance(node.func, ast.Name) else ""
        if name in _BY_NAME and len(node.args) > 1 and isinstance(node.args[1], ast.Constant):
            self.called.add(id(node.func))
            yield from self.attribute(str(node.args[1].value))
            if isinstance(node.args[0], ast.Name) and node.args[0].id in self.imported - self.bound:
                yield f"`{name}` of `{node.args[0].id}`"
        if ast.unparse(node.func).endswith("wraps") and node.keywords:
            yield "`wraps` with a choice of names"
        if name == "type" and len(node.args) + len(node.keywords) != 1:
            yield "`type` with more than one argument"

    def see_MatchClass(self, node: ast.MatchClass) -> Iterator[str]:
        for name in node.kwd_attrs:
            yield from self.attribute(name)

    def see_ClassDef(self, node: ast.ClassDef) -> Iterator[str]:
        if node.keywords:
            yield "a metaclass, or another argument of a class"
        for inner in node.body:
            names = [getattr(inner, "name", "")]
            if isinstance(inner, ast.Assign):
                names = [
                    n.id for t in inner.targets for n in ast.walk(t) if isinstance(n, ast.Name)
                ]
            for name in names:
                if name in _NO_METHODS:
                    yield f"the method `{name}`"
                yield from self.attribute(name)


def _stores(node: ast.Name | ast.Attribute) -> bool:
    return not isinstance(node.ctx, ast.Load)


def _dunder(name: str) -> bool:
    return name.startswith("__") and name.endswith("__")

"""Notice whether the code that was judged has changed what judges it."""

import builtins
import sys
from collections.abc import Iterator
from types import FunctionType

_JUDGES = __name__.rpartition(".")[0].rpartition(".")[0]  # asyncio_lessons.classroom


def seal() -> dict[tuple[str, ...], object]:
    """Return what the judge's modules and Python's builtins hold now: dotted name to object."""
    names = [n for n in sys.modules if n == _JUDGES or n.startswith(f"{_JUDGES}.")]
    held = {("builtins", name): value for name, value in vars(builtins).items() if name != "_"}
    for module in names:
        for name, value in vars(sys.modules[module]).items():
            held |= dict(_parts((module, name), value))
    return held


def broken(before: dict[tuple[str, ...], object]) -> str:
    """Return the name of something that is no longer what it was, or nothing."""
    now = seal()
    changed = (path for path, value in before.items() if now.get(path) is not value)
    return ".".join(next(changed, ()))


def _parts(path: tuple[str, ...], value: object) -> Iterator[tuple[tuple[str, ...], object]]:
    """Yield the object, and what of it could be exchanged: a function's code, a class's methods."""
    yield path, value
    if isinstance(value, FunctionType):
        yield (*path, "__code__"), value.__code__
        yield (*path, "__defaults__"), value.__defaults__
    elif isinstance(value, type) and value.__module__.startswith(_JUDGES):
        for name, inner in vars(value).items():
            yield from _parts((*path, name), inner)

"""Snapshots of frames, cheap enough to take at every switch; what they show is spelled out later.

A shot is ``(code, instruction, names, values)``. A value is what the name holds if that is a plain
number or string, and else a `Text` that stands for the object: a snapshot keeps no object alive.
The text of a future, a queue, a function is made once. That of a list, a dict and of any object
with a `repr` of its own is made at each pause, as it may have changed.
"""

import functools
import inspect
import sys
import sysconfig
import types
from collections import deque
from pathlib import Path
from typing import Any

from .frames import DEEPEST, PLAIN, Labels, awaited_by, frame_of, local_of, locals_of

Shot = tuple[types.CodeType, int, tuple[str, ...], tuple]

HERE = str(Path(__file__).parent)
_UNSET: Any = object()
_KEEPS_SNAPSHOT = sys.version_info < (3, 13)
_LONG = 60  # characters of a string; of a longer one the beginning is kept


class Text(str):
    """The text of an object, which a string of the program is not."""

    __slots__ = ()


UNSET = Text("")  # the name holds nothing at this place


class Camera:
    """Takes the shots of one film; `labels` gives objects their texts."""

    def __init__(self, labels: Labels) -> None:
        self._labels = labels
        self._names: dict[int, tuple] = {}  # id of a code: its names, and the code, kept
        self._texts: dict[int, tuple] = {}  # id of an object: its text, and a reference to it

    def paused(self, obj: Any) -> tuple[tuple[Shot, ...], Any]:
        """Return the shots of a paused coroutine or generator, inwards, and the innermost frame."""
        shots, last = [], None
        while obj is not None and len(shots) < DEEPEST:
            kind = type(obj)
            if kind is types.CoroutineType:
                frame, inner = obj.cr_frame, obj.cr_await
                if inner is not None and type(inner) is not types.CoroutineType:
                    inner = awaited_by(obj)
            else:
                frame, inner = frame_of(obj), awaited_by(obj)
            if frame is not None:
                shots.append(self.shot(frame))
                last = frame
            obj = inner
        return tuple(shots), last

    def running(self, frame: Any, last: types.CodeType | None) -> tuple[Shot, ...]:
        """Return the frames that run now, out to what drives the task, or to the code `last`."""
        shots = []
        while frame is not None:
            code = frame.f_code
            if id(code) in _DRIVERS or len(shots) >= DEEPEST:
                break
            if not is_ours(code.co_filename):
                shots.append(self.shot(frame))
            if code is last:
                break
            frame = frame.f_back
        return tuple(shots[::-1])

    def shot(self, frame: types.FrameType) -> Shot:
        """Return one frame: where it stands, and what it holds."""
        code = frame.f_code
        known = self._names.get(id(code))
        if known is None:
            order = dict.fromkeys((*code.co_varnames, *code.co_cellvars, *code.co_freevars))
            names = tuple(name for name in order if not name.startswith("."))
            known = self._names[id(code)] = names, code
        if not code.co_flags & inspect.CO_OPTIMIZED:
            found = locals_of(frame)
            return code, frame.f_lasti, tuple(found), tuple(map(self.value, found.values()))
        names = known[0]
        if not names:
            return code, frame.f_lasti, names, ()
        space = frame.f_locals
        get = space.get if _KEEPS_SNAPSHOT else dict(space).get
        values = tuple([self.value(get(name, _UNSET)) for name in names])
        if _KEEPS_SNAPSHOT:
            del get
            if sys.getrefcount(space) <= 3:  # the frame would keep what is in there
                space.clear()
        return code, frame.f_lasti, names, values

    def value(self, value: Any) -> Any:
        """Return a plain value as it is, and for anything else its text."""
        kind = type(value)
        if kind in PLAIN:
            if (kind is str or kind is bytes) and len(value) > _LONG:
                return Text(self._labels.of(value))
            return value
        known = self._texts.get(id(value))
        if known is not None and known[1]() is value:
            return known[0]
        if value is _UNSET:
            return UNSET
        text, reference = self._labels.lasting(value)
        text = Text(text)
        if reference is not None:
            self._texts[id(value)] = text, reference
        return text

    def waiter(self, future: Any, frame: Any) -> Text:
        """Return the text of what `frame` waits for: "Queue 1 getter" if a queue's method waits."""
        known = self._texts.get(id(future))
        if known is not None and known[1]() is future:
            return known[0]
        role = None
        if frame is not None and frame.f_code.co_varnames[:1] == ("self",):
            holder = local_of(frame, "self")
            role = _role_of(future, getattr(holder, "__dict__", {}))
        if role is None:
            return self.value(future)
        text = Text(f"{self._labels.of(holder)} {role}")
        self._texts[id(future)] = text, self._labels.reference(future)
        return text


def _role_of(future: Any, attributes: dict[str, Any]) -> str | None:
    """Return "getter" for the last one in a list called `_getters`; None if it is in no list."""
    for name, held in attributes.items():
        if isinstance(held, list | deque) and held and held[-1] is future:
            return name.strip("_").removesuffix("s")
    return None


_DRIVERS: dict[int, types.CodeType] = {}  # by id: to hash a code is slow


def drives_tasks(function: Any) -> Any:
    """Mark a function below which the frames of a task begin."""
    _DRIVERS[id(function.__code__)] = function.__code__
    return function


@functools.cache
def is_ours(file: str) -> bool:
    """Say whether a file belongs to the filming."""
    return file.startswith(HERE)


def is_inside(frame: Any) -> bool:
    """Say whether a frame is not of the program, but of the filming or of a library."""
    file = frame.f_code.co_filename
    return is_ours(file) or is_library(file)


@functools.cache
def is_library(file: str) -> bool:
    """Say whether a file belongs to Python, to an installed package or to the course's own loop."""
    if file.startswith("<"):
        return file.startswith("<frozen")
    path = Path(file)
    if path.parent.name in ("asyncio_lessons", "my_asyncio", "annexes", "speed"):
        return True
    if "site-packages" in path.parts or "dist-packages" in path.parts:
        return "asyncio_lessons" not in path.parts
    return file.startswith(sysconfig.get_path("stdlib"))

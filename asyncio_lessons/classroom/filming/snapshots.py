"""Snapshots of frames, cheap enough to take at every switch; what they show is spelled out later.

A `Camera` writes what it sees on one long list, its `roll`, since a list of plain things costs the
garbage collector nothing. `Camera.develop` makes `Shot`s of it. A value is what the name holds if
that is a plain number or string, and else a `Text` that stands for the object: a snapshot keeps no
object alive. The text of a future, a queue, a function is made once. That of a list, a dict and of
any object with a `repr` of its own is made for each snapshot, as it may have changed. Of the
library's own frames there are no values.
"""

import functools
import sys
import sysconfig
import types
import weakref
from pathlib import Path
from typing import Any, NamedTuple

from .frames import (
    DEEPEST,
    KEEPS_LOCALS,
    OPTIMIZED,
    PLAIN,
    Labels,
    awaited_by,
    frame_of,
    is_future,
    locals_of,
)

HERE = str(Path(__file__).parent)
_LONG = 60  # characters of a string; of a longer one the beginning is kept
_SHORT = {int, float, bool, type(None)}
_UNSET: Any = object()
_DRIVES, _OURS, _CELL = "drives a task", "the filming's", "code of a module or a cell"
_ENDS: set[type] = set()  # of a chain: asyncio's iterator of a future, which cannot be imported


class Text(str):
    """The text of an object, which a string of the program is not."""

    __slots__ = ()


UNSET = Text("")  # the name holds nothing at this place


class Shot(NamedTuple):
    """One frame: its code, the instruction it stands at, and what its names hold."""

    code: types.CodeType
    lasti: int
    names: tuple[str, ...] = ()
    values: tuple = ()


class Known(weakref.ref):
    """Remembers the text of an object, and whether it is still the same object."""

    __slots__ = ("text",)
    text: Text


class Camera:
    """Takes the shots of one film; `labels` gives objects their texts."""

    def __init__(self, labels: Labels) -> None:
        self.roll: list = []  # of each shot: code, instruction, names (None: no locals), values
        self._labels = labels
        self._names: dict[int, Any] = {}  # id of a code: its names, or what else it is
        self._codes: list[types.CodeType] = []  # kept, so that their ids stay their own
        self._known: dict[int, Known] = {}  # id of an object: its text

    def suspended(self, obj: Any) -> None:
        """Take the frames of a suspended coroutine or generator, inwards."""
        depth = 0
        while obj is not None and depth < DEEPEST:
            kind = type(obj)
            if kind is types.CoroutineType:
                frame, inner = obj.cr_frame, obj.cr_await
            elif kind is types.GeneratorType:
                frame, inner = obj.gi_frame, obj.gi_yieldfrom
            else:
                frame, inner = frame_of(obj), awaited_by(obj)
            if frame is not None:
                self._shoot(frame)
                depth += 1
            kind = type(inner)
            if kind is types.CoroutineType:
                obj = inner
            elif inner is None or kind in _ENDS:
                break
            else:
                obj = awaited_by(obj)
                if is_future(obj):
                    if kind.__name__ == "FutureIter":
                        _ENDS.add(kind)
                    break

    def running(self, frame: Any, last: types.CodeType | None) -> tuple[Any, int]:
        """Take what runs now, outwards; return the program's innermost frame and its place.

        frame: where to begin; last: the code of a cell, outside which nothing is shown. Inside the
        program's innermost frame it is only the function that this has called.
        """
        program = called = None
        place = 0
        known = self._names
        while frame is not None:
            code = frame.f_code
            names = known.get(id(code), 0)
            if names == 0:
                names = self._names_of(code)
            if names is _DRIVES:
                break
            if names is None:  # the library's
                if program is None:
                    called = frame
                else:
                    self.roll += (code, frame.f_lasti, None)
            elif names is not _OURS:
                if program is None:
                    program = frame
                    if called is not None:
                        self.roll += (called.f_code, called.f_lasti, None)
                    place = len(self.roll)
                self._shoot(frame)
            if code is last or names is _CELL:
                break
            frame = frame.f_back
        return program, place

    def way_of(self, error: BaseException) -> None:
        """Take the frames an error came through, from the outside inwards."""
        trace, depth = error.__traceback__, 0
        while trace is not None and depth < 100:
            code = trace.tb_frame.f_code
            if not is_ours(code.co_filename):
                self.roll += (code, trace.tb_lasti, None)
                depth += 1
            trace = trace.tb_next

    def _shoot(self, frame: types.FrameType) -> None:
        code, roll = frame.f_code, self.roll
        names = self._names.get(id(code), 0)
        if names == 0:
            names = self._names_of(code)
        if names is _CELL:
            found = locals_of(frame)
            roll += (code, frame.f_lasti, tuple(found), *map(self.value, found.values()))
            return
        roll += (code, frame.f_lasti, names)
        if not names:
            return
        space, value = frame.f_locals, self.value
        held = space if KEEPS_LOCALS else dict(space.items())  # one pass over the frame
        for name in names:
            each = held.get(name, _UNSET)
            roll.append(each if type(each) in _SHORT else value(each))
        if KEEPS_LOCALS:
            del held
            if sys.getrefcount(space) <= 3:  # the frame would keep what is in there
                space.clear()

    def _names_of(self, code: types.CodeType) -> Any:
        """Return the names of a function of the program, None for one of the library's."""
        names: Any
        if id(code) in _DRIVERS:
            names = _DRIVES
        elif is_ours(code.co_filename):
            names = _OURS
        elif is_library(code.co_filename):
            names = None
        elif not code.co_flags & OPTIMIZED:
            names = _CELL
        else:
            order = dict.fromkeys((*code.co_varnames, *code.co_cellvars, *code.co_freevars))
            names = tuple(name for name in order if not name.startswith("."))
        self._names[id(code)] = names
        self._codes.append(code)
        return names

    def value(self, value: Any) -> Any:
        """Return a plain value as it is, and for anything else its text."""
        kind = type(value)
        if kind in PLAIN:
            if (kind is str or kind is bytes) and len(value) > _LONG:
                return Text(self._labels.of(value))
            return value
        if value is _UNSET:
            return UNSET
        known = self._known.get(id(value))
        if known is not None and known() is value:
            return known.text
        text = Text(self._labels.of(value))
        if self._labels.is_lasting(value):
            self._remember(value, text)
        return text

    def _remember(self, value: Any, text: Text) -> None:
        try:
            known = Known(value)
        except TypeError:  # there can be no weak reference to it
            return
        known.text = text
        self._known[id(value)] = known

    def known(self, value: Any) -> Text | None:
        """Return the text of an object that was seen before, None for another."""
        known = self._known.get(id(value))
        return known.text if known is not None and known() is value else None

    def develop(self, begin: int, end: int, inwards: bool) -> tuple[Shot, ...]:
        """Return the shots from one place on the roll to another, from the outside inwards."""
        roll, shots = self.roll, []
        while begin < end:
            code, lasti, names = roll[begin : begin + 3]
            begin += 3
            values = tuple(roll[begin : begin + len(names or ())])
            begin += len(values)
            shots.append(Shot(code, lasti, names or (), values))
        return tuple(shots if inwards else shots[::-1])


_DRIVERS: dict[int, types.CodeType] = {}  # by id: to hash a code is slow


def drives_tasks(function: Any) -> Any:
    """Mark a function below which the frames of a task begin."""
    _DRIVERS[id(function.__code__)] = function.__code__
    return function


@functools.cache
def is_ours(file: str) -> bool:
    """Say whether a file belongs to the filming."""
    return file.startswith(HERE)


@functools.cache
def is_library(file: str) -> bool:
    """Say whether a file belongs to Python, to an installed package or to the course's own loop."""
    if file.startswith("<"):
        return file.startswith("<frozen")
    path = Path(file)
    if path.parent.name in ("asyncio_lessons", "my_asyncio", "annexes", "speed"):
        return True
    if path.parts[-3:] == ("classroom", "notebook", "attempt.py"):  # lessons call through it
        return True
    if "site-packages" in path.parts or "dist-packages" in path.parts:
        return "asyncio_lessons" not in path.parts
    return file.startswith(sysconfig.get_path("stdlib"))

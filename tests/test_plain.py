"""What the grader refuses to run, and what it must not refuse: every answer a reader would give."""

from __future__ import annotations

import pytest

from asyncio_lessons.classroom import workshop
from asyncio_lessons.classroom.checking import graft
from asyncio_lessons.classroom.checking.catalog import find, names
from asyncio_lessons.classroom.grading.plain import reaches
from asyncio_lessons.classroom.notebook import face


@pytest.mark.parametrize("name", names())
def test_no_answer_to_an_exercise_is_refused(name):
    """Neither the solution nor an answer that is wrong: a check says better what is wrong there."""
    exercise, answer = find(name), face.answer(name)
    around = workshop.course_texts().get(exercise.module, "")
    for code in (answer, *(graft.merge(answer, wrong.code) for wrong in exercise.wrong)):
        assert reaches(code, around) == "", code


PLAIN = [
    "import time\ntime = time.monotonic()",
    "from collections import deque\nheld = deque()\nheld.append(1)",
    "import functools\n@functools.wraps(print)\ndef f(): return functools.partial(f, 1)",
    "class A:\n    __slots__ = ('x',)\n    def __init__(self): self.x = self.__class__.__name__",
    "try: pass\nexcept OSError as error: raise error.with_traceback(None) from error.__cause__",
    "def f(x): return getattr(x, 'name', None) or hasattr(x, '__await__') or type(x).__name__",
    "from inspect import iscoroutine\nimport inspect\ninspect.isawaitable(iscoroutine)",
    "import sys\nprint('x', file=sys.stderr)",
    "def f(coro): return coro.cr_await, coro.cr_running",
    "async def main():\n    async with aio.timeout(1), aio.TaskGroup() as group: pass",
    "import contextlib\nwith contextlib.suppress(OSError): pass",
    "class Double:\n    def __iter__(self): return self\n    __await__ = __iter__",
    "match 1:\n    case int(real=1): pass",
]


@pytest.mark.parametrize("code", PLAIN)
def test_ordinary_python_is_plain(code):
    assert reaches(code) == ""


ESCAPES = [
    "import os",
    "import sys\nsys.modules",
    "import sys as s\ns._getframe()",
    "from sys import modules",
    "__import__('os')",
    "__builtins__['eval']",
    "eval('1')",
    "open('x', 'w')",
    "import builtins",
    "f = getattr\nf(1, 'real')",
    "getattr(x, 'gi_' + 'frame')",
    "getattr(x, '__globals__')",
    "(n for n in ()).gi_frame",
    "async def f(): pass\nf().cr_frame.f_back",
    "try: 1 / 0\nexcept ZeroDivisionError as error: error.__traceback__.tb_frame",
    "f.__globals__",
    "print.__self__",
    "object.__subclasses__()",
    "x.__class__.__mro__",
    "x.__dict__",
    "object.__getattribute__(x, 'y')",
    "match x:\n    case object(gi_frame=frame): pass",
    "import collections\ncollections._sys",
    "import contextlib\ncontextlib.os",
    "from contextlib import os",
    "import contextlib\nclass R(contextlib.redirect_stdout): _stream = 'modules'",
    "import functools\nfunctools.update_wrapper(a, b, ('gi_frame',))",
    "import functools\nfunctools.wraps(b, assigned=('gi_frame',))(a)",
    "import functools\nfunctools.singledispatch",
    "import typing\ntyping.get_type_hints",
    "import operator\noperator.attrgetter('gi_frame')",
    "import inspect\ninspect.currentframe()",
    "import gc\ngc.get_objects()",
    "import string\nstring.Formatter",
    "import socket as s\nm = s",
    "import collections\ncollections.deque = list",
    "aio.sleep = None",
    "setattr(aio, 'sleep', None)",
    "import time\ntime.monotonic = lambda: 0",
    "class Same:\n    def __eq__(self, other): return True",
    "class Same:\n    __eq__ = lambda self, other: True",
    "class Trap:\n    gi_frame = property(print)",
    "class Meta(type): pass\nclass A(metaclass=Meta): pass",
    "type('A', (), {'__eq__': lambda *_: True})",
    "from .futures import sys",
    "from .. import classroom",
    "aio.event_loop.sys.modules",
    "isinstance = lambda *_: True",
    "from collections import *",
    "import sys\ndef f(sys=None): pass\nsys.modules",
]


@pytest.mark.parametrize("code", ESCAPES)
def test_what_reaches_for_the_checks_is_refused(code):
    said = reaches(code)
    assert said.startswith("Line ") and said.endswith("the grader runs no such code."), code

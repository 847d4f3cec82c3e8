"""Lesson 02: a generator as a service, repaired and then written by hand."""

import inspect

from ..checking.catalog import Exercise, Wrong
from ..checking.expect import Refused, holds, raises, same

REPAIR = Exercise(
    name="double-repair",
    lesson="02",
    title="Make the doubling service answer",
    lines=5,
    builds=("double",),
    stub='''
def double():
    """Answer each number sent in with twice that number."""
    while True:
        number = yield
        number * 2
''',
    solution='''
def double():
    """Answer each number sent in with twice that number."""
    answer = None
    while True:
        number = yield answer
        answer = number * 2
''',
    hints=(
        "`send(3)` gives back what the generator yields next. What does this one yield?",
        "`number * 2` is computed and thrown away. Keep it in a name.",
        "Yield that name at the next `yield`: `number = yield answer`. Before the first number "
        "there is no answer, so start with None.",
    ),
    wrong=(
        Wrong(
            """
def double():
    while True:
        number = yield
        yield number * 2
""",
            "every second `send` is lost",
        ),
        Wrong(
            """
def double():
    number = yield
    while True:
        number = yield number * 2
        print(number)
        number = None
""",
            "unsupported operand type(s) for *: 'NoneType' and 'int' (line 4 of your code",
        ),
        Wrong(change=("answer = number * 2", "return number * 2"), says="`return` ends"),
        Wrong("def double(number):\n    return number * 2\n", "callable with no arguments"),
        Wrong(change=("answer = None", "answer = 0"), says="Before the first number"),
        Wrong(change=("while True:", "for _ in range(2):"), says="as often as it is asked"),
    ),
    right=(
        """
def double():
    number = yield
    while True:
        number = yield number * 2
""",
        """
def double():
    answers = [None]
    while True:
        answers.append((yield answers.pop()) * 2)
""",
        """
def double():
    number = None
    while True:
        number = yield (None if number is None else 2 * number)
""",
    ),
)


def _primed(cell):
    try:
        service = cell.double()
    except TypeError:
        raise Refused(
            "`double` must be callable with no arguments: it is sent its numbers."
        ) from None
    return service, next(service)


@REPAIR.check("the first `next` brings it to its `yield`, with nothing to tell yet")
def _(cell):
    _, first = _primed(cell)
    same(first, None, "Before the first number there is no answer: the first `yield` gives None.")


@REPAIR.check("`send(3)` answers 6")
def _(cell):
    service, _ = _primed(cell)
    try:
        answer = service.send(3)
    except StopIteration:
        answer = "StopIteration"
    same(
        answer,
        6,
        "`return` ends the generator, and `send` raises StopIteration: yield the answer instead."
        if answer == "StopIteration"
        else "`send(3)` must give back 6: yield the doubled number.",
    )


@REPAIR.check("it answers each number, as often as it is asked")
def _(cell):
    service, _ = _primed(cell)
    answers = []
    for number in (3, 8, 0, 21):
        try:
            answers.append(service.send(number))
        except StopIteration:
            holds(
                False, "It answers as often as it is asked: put the `yield` into an endless loop."
            )
    same(
        answers,
        [6, 16, 0, 42],
        "With a second `yield` every second `send` is lost: one `yield` both answers and receives.",
    )


BY_HAND = Exercise(
    name="double-by-hand",
    lesson="02",
    title="Write the generator `double` as a class that keeps its own place",
    lines=9,
    module="generators",
    builds=("Double.__init__", "Double._resume"),
    stub="""
class Double(Generator):
    def __init__(self):
        super().__init__()
        # about 2 lines: the saved place: `self.line` is 1, and `self.answer` is None

    def _resume(self, number):
        # about 4 lines: resume at `self.line` with what was sent in; line 4 is the `yield`
        ...
""",
    hints=(
        "Python keeps two things for `double`: the line where it is suspended, and `answer`. Make "
        "both attributes in `__init__`.",
        "`_resume(number)` runs from the saved line to the next `yield`. The first time "
        "(`self.line == 1`) nothing has come in; later `number` is what was sent.",
        "If `self.line` is not 1, set `self.answer = number * 2`. Then save the place "
        "(`self.line = 4`) and return `self.answer`.",
    ),
    wrong=(
        Wrong(
            "class Double:\n    def _resume(self, number):\n        return number * 2\n",
            "At line 1 no number has come in yet",
        ),
        Wrong(change=("        self.line = 4\n", ""), says="Save the place"),
        Wrong(change=("self.line = 4", "self.line = 2"), says="line 4 is the `yield`"),
        Wrong(change=("        return self.answer\n", ""), says="Return the answer"),
        Wrong(change=("return self.answer", "yield self.answer"), says="without `yield`"),
        Wrong(
            """
class Double:
    answers = [None]

    def _resume(self, number):
        if self.line > 1:
            self.answers[0] = number * 2
        self.line = 4
        return self.answers[0]
""",
            "Each `Double()` keeps a place of its own",
        ),
        Wrong(change=("        super().__init__()\n", ""), says="`super().__init__()`"),
    ),
    right=(
        """
class Double:
    def _resume(self, number):
        if self.line == 1:
            self.line = 4
            return None
        self.answer = number * 2
        return self.answer
""",
        """
class Double:
    def __init__(self):
        self.line, self.answer = 1, None
        Generator.__init__(self)

    def _resume(self, number):
        at, self.line = self.line, 4
        self.answer = number + number if at == 4 else None
        return self.answer
""",
        """
class Double:
    def _resume(self, number):
        match self.line:
            case 1:
                self.line = 4
            case 4:
                self.answer = 2 * number
        return self.answer
""",
    ),
)


@BY_HAND.check("a new one has not run: it stands at line 1, with no answer")
def _(aio):
    service = aio.generators.Double()
    holds(
        hasattr(service, "state"),
        "Call `super().__init__()` first: the base class keeps the state there.",
    )
    place = (getattr(service, "line", "no line"), getattr(service, "answer", "no answer"))
    same(place, (1, None), "Keep the place in `self.line` (1 at first) and `self.answer` (None).")


@BY_HAND.check("its `_resume` is an ordinary method")
def _(aio):
    ordinary = not inspect.isgeneratorfunction(aio.generators.Double._resume)
    holds(ordinary, "Write it without `yield`: what Python keeps for you, you keep here.")


@BY_HAND.check("the first `next` answers None", "At line 1 no number has come in yet.")
def _(aio):
    same(
        next(aio.generators.Double()),
        None,
        "There is no number at the first `next`: at line 1, return the answer as it is, None.",
    )


@BY_HAND.check("`send(3)`, `send(8)` answer 6 and 16", "Does `self` keep the place?")
def _(aio):
    service = aio.generators.Double()
    next(service)
    yours = [service.send(3), service.send(8)]
    sentence = "Each number sent in is answered with its double."
    if yours == [None, None]:
        moved = service.line != 1
        sentence = (
            "Return the answer: what `_resume` returns is what is yielded."
            if moved
            else "Save the place: without `self.line = 4` every call starts at line 1 again."
        )
    same(yours, [6, 16], sentence)
    same(service.line, 4, "It stands at its `yield`: line 4 is the `yield`.")


@BY_HAND.check("two services do not know each other")
def _(aio):
    one, two = aio.generators.Double(), aio.generators.Double()
    next(one)
    one.send(5)
    same(
        [two.answer, next(two)],
        [None, None],
        "Each `Double()` keeps a place of its own: use attributes of `self`, no globals.",
    )


@BY_HAND.check("after `close` it has ended")
def _(aio):
    service = aio.generators.Double()
    next(service)
    service.close()
    raises(StopIteration, lambda: service.send(1), "A closed generator raises StopIteration.")


@BY_HAND.shown
def _(aio):
    service = aio.generators.Double()
    next(service)
    service.send(3)
    return service

"""Lesson 03: ``yield from`` in plain Python, first for values, then for everything."""

from ..checking.catalog import Exercise, Wrong
from ..checking.expect import Events, holds, raises, same

SEND = Exercise(
    name="tunnel-send",
    lesson="03",
    title="Build the tunnel for values: `next`, `send` and `return`",
    lines=9,
    builds=("tunnel",),
    stub='''
def tunnel(iterable):
    """What `yield from iterable` does with values, without `yield from`."""
    inner = iter(iterable)
    # about 8 lines: resume `inner` with what was sent in, yield what it yields, return its value
    ...
''',
    solution='''
def tunnel(iterable):
    """What `yield from iterable` does with values, without `yield from`."""
    inner = iter(iterable)
    sent = None
    while True:
        try:
            yielded = next(inner) if sent is None else inner.send(sent)
        except StopIteration as stop:
            return stop.value
        sent = yield yielded
''',
    hints=(
        "It is a loop with two halves: resume the inner generator, then `yield` what came out.",
        "What `yield` gives you is what was sent in: `sent = yield yielded`. The next round "
        "resumes the inner one with it: `inner.send(sent)`, or `next(inner)` if it is None.",
        "The inner one ends with `StopIteration`. Catch it `as stop`, and `return stop.value`.",
    ),
    wrong=(
        Wrong(
            """
def tunnel(iterable):
    for value in iterable:
        yield value
""",
            "What is sent in must reach the inner generator",
        ),
        Wrong(change=("stop.value", "None"), says="`stop.value`"),
        Wrong(change=("yield yielded", "yield"), says="Hand out what the inner generator yields"),
        Wrong("def tunnel(iterable):\n    return (yield from iterable)\n", "without `yield from`"),
        Wrong("def tunnel(iterable):\n    return iterable\n", "must itself be a generator"),
        Wrong(
            """
def tunnel(iterable):
    inner = iter(iterable)
    next(inner)
    while True:
        sent = yield
        try:
            inner.send(sent)
        except StopIteration as stop:
            return stop.value
""",
            "Hand out what the inner generator yields",
        ),
        Wrong(
            """
def tunnel(iterable):
    inner = iter(iterable)
    sent = None
    while True:
        sent = yield inner.send(sent)
""",
            "Catch the inner StopIteration",
        ),
        Wrong(change=("except StopIteration", "except Exception"), says="Catch only StopIteration"),
        Wrong(
            change=("next(inner) if sent is None else inner.send(sent)", "inner.send(sent)"),
            says="A list's iterator has no `send`",
        ),
    ),
    right=(
        """
def tunnel(iterable):
    inner = iter(iterable)
    try:
        value = next(inner)
        while True:
            sent = yield value
            value = next(inner) if sent is None else inner.send(sent)
    except StopIteration as stop:
        return stop.value
""",
        """
def tunnel(iterable):
    inner = iter(iterable)
    step = inner.__next__
    while True:
        try:
            yielded = step()
        except StopIteration as stop:
            return stop.value
        sent = yield yielded
        step = inner.__next__ if sent is None else lambda: inner.send(sent)
""",
        """
def tunnel(iterable):
    inner, sent, result = iter(iterable), None, None
    running = True
    while running:
        try:
            if sent is not None:
                yielded = inner.send(sent)
            else:
                yielded = next(inner)
        except StopIteration as stop:
            running, result = False, stop.value
        else:
            sent = yield yielded
    return result
""",
    ),
)


def _asker(events):
    events.append("inner starts")
    first = yield "who?"
    events.append(f"inner gets {first!r}")
    second = yield "where?"
    events.append(f"inner gets {second!r}")
    return "all said"


def _talk(tunnel):
    """Drive the tunnel from outside; return what happened, in order."""
    events = Events()
    outer = tunnel(_asker(events))
    holds(
        hasattr(outer, "send") and getattr(outer, "gi_code", None) is not None,
        "`tunnel` must itself be a generator: a function with a `yield` in it.",
    )
    code = outer.gi_code
    holds(
        code.co_name != "_asker",
        "`tunnel` must itself be a generator, not hand back the inner one.",
    )
    try:
        events.append(f"out comes {next(outer)!r}")
        events.append(f"out comes {outer.send('oh hi')!r}")
        events.append(f"out comes {outer.send('here')!r}")
    except StopIteration as stop:
        events.append(f"returned {stop.value!r}")
    except RuntimeError as error:
        if "StopIteration" not in str(error):
            raise
        events.append("RuntimeError: generator raised StopIteration")
    return events


_SAID = Events(
    [
        "inner starts",
        "out comes 'who?'",
        "inner gets 'oh hi'",
        "out comes 'where?'",
        "inner gets 'here'",
        "returned 'all said'",
    ]
)


def _sentence(events):
    if "generator raised StopIteration" in events[-1]:
        return "Catch the inner StopIteration: it must not leave a generator."
    if "out comes 'who?'" not in events or "out comes None" in events:
        return "Hand out what the inner generator yields: `yield yielded`."
    if "inner gets 'oh hi'" not in events:
        return "What is sent in must reach the inner generator: keep what your `yield` gives."
    return "What the inner generator returns is in `stop.value`: return it."


def _no_yield_from(tunnel):
    import dis

    codes = [tunnel.__code__, *(c for c in tunnel.__code__.co_consts if hasattr(c, "co_code"))]
    names = {i.opname for code in codes for i in dis.get_instructions(code)}
    holds(
        not names & {"GET_YIELD_FROM_ITER", "YIELD_FROM"},
        "Do it without `yield from`: this is what it does inside.",
    )


def _check_both(exercise, get):
    """The checks that both exercises share; `get` finds `tunnel` in what a check is given."""

    @exercise.check("it does without `yield from`")
    def _(given):
        _no_yield_from(get(given))

    @exercise.check(
        "values go in and out, and the returned value comes at the end",
        "Catch the inner StopIteration, and return its value.",
    )
    def _(given):
        events = _talk(get(given))
        same(events, _SAID, _sentence(events))

    @exercise.shown
    def _(given):
        def middle():
            return (yield from get(given)(_asker([])))

        outer = get(given)(middle())
        next(outer)
        outer.send("oh hi")
        return outer

    @exercise.check(
        "it takes a list as well", "A list's iterator has no `send`: use `next(inner)`."
    )
    def _(given):
        values = list(get(given)([1, 2, 3]))
        same(values, [1, 2, 3], "Each value of the list comes out once, in order.")

    @exercise.check("what the inner generator raises comes out as it is")
    def _(given):
        def inner():
            yield 1
            raise ValueError("inside")

        outer = get(given)(inner())
        next(outer)
        try:
            next(outer)
        except ValueError:
            return
        except (AttributeError, StopIteration):
            pass
        holds(False, "Catch only StopIteration: any other exception comes out as it is.")

    @exercise.check("five tunnels, one in another, are still a tunnel")
    def _(given):
        def nested(iterable):
            for _ in range(4):
                iterable = get(given)(iterable)
            return get(given)(iterable)

        events = _talk(nested)
        same(events, _SAID, "Through five tunnels the same must come out as through one.")


_check_both(SEND, lambda cell: cell.tunnel)

TUNNEL = Exercise(
    name="tunnel",
    lesson="03",
    title="Build the whole tunnel: exceptions and `close` go through it too",
    lines=11,
    module="delegation",
    builds=("tunnel",),
    stub='''
def tunnel(iterable):
    """What `yield from iterable` does, without `yield from`."""
    inner = iter(iterable)
    resume = partial(next, inner)  # what to call next: next, send or throw
    while True:
        try:
            yielded = resume()
        except StopIteration as stop:
            return stop.value
        # about 11 lines: `sent = yield yielded`, in a `try` of its own, and what to resume with:
        #   GeneratorExit   close the inner one, if it has a `close`, and raise again
        #   anything else   throw it into the inner one, if it has a `throw`; else raise again
        #   no exception    `next`, or `send` what was sent in
        ...
''',
    hints=(
        "An exception thrown into the tunnel comes up at its own `yield`. Put that `yield` into a "
        "`try`.",
        "`throw` is a way to resume, like `send`: what it returns is yielded, and it may raise "
        "StopIteration. So it is called where the others are: set `resume` to it.",
        "`except GeneratorExit:` closes the inner one (if it can be closed) and raises again. "
        "`except BaseException as error:` sets `resume = partial(inner.throw, error)` if there is "
        "a `throw`, else raises. `else:` sets next or send.",
    ),
    wrong=(
        Wrong(
            """
def tunnel(iterable):
    for value in iterable:
        yield value
""",
            "What is sent in must reach the inner generator",
        ),
        Wrong(change=("stop.value", "None"), says="`stop.value`"),
        Wrong(change=("yield yielded", "yield"), says="Hand out what the inner generator yields"),
        Wrong("def tunnel(iterable):\n    return (yield from iterable)\n", "without `yield from`"),
        Wrong(SEND.solution, "An exception thrown in must reach the inner generator"),
        Wrong(
            change=(
                "            resume = partial(inner.throw, error)\n",
                "            inner.throw(error)\n            resume = partial(next, inner)\n",
            ),
            says="What `throw` returns is a value yielded",
        ),
        Wrong(
            change=('            if not hasattr(inner, "throw"):\n                raise\n', ""),
            says="A list's iterator has no `throw`",
        ),
        Wrong(
            change=('            getattr(inner, "close", _nothing)()\n', ""),
            says="Close the inner generator before",
        ),
        Wrong(
            change=('getattr(inner, "close", _nothing)()', "inner.close()"),
            says="A list's iterator has no `close`",
        ),
        Wrong(
            change=(
                "        except GeneratorExit:  # `close` was called: close the inner one first\n"
                '            getattr(inner, "close", _nothing)()\n            raise\n',
                "",
            ),
            says="one that has no `throw`",
        ),
        Wrong(change=("except BaseException", "except Exception"), says="BaseException"),
    ),
    right=(
        """
def tunnel(iterable):
    inner = iter(iterable)
    resume = lambda: next(inner)
    while True:
        try:
            yielded = resume()
        except StopIteration as stop:
            return stop.value
        try:
            sent = yield yielded
        except GeneratorExit:
            if hasattr(inner, "close"):
                inner.close()
            raise
        except BaseException as error:
            if not hasattr(inner, "throw"):
                raise
            resume = lambda error=error: inner.throw(error)
        else:
            resume = lambda: next(inner) if sent is None else inner.send(sent)
""",
        """
def tunnel(iterable):
    inner = iter(iterable)
    try:
        yielded = next(inner)
        while True:
            try:
                sent = yield yielded
            except GeneratorExit:
                close = getattr(inner, "close", None)
                if close:
                    close()
                raise
            except BaseException as error:
                throw = getattr(inner, "throw", None)
                if throw is None:
                    raise
                yielded = throw(error)
            else:
                yielded = next(inner) if sent is None else inner.send(sent)
    except StopIteration as stop:
        return stop.value
""",
        """
def tunnel(iterable):
    inner, sent, thrown = iter(iterable), None, None
    while True:
        try:
            if thrown is not None:
                yielded = inner.throw(thrown)
            elif sent is not None:
                yielded = inner.send(sent)
            else:
                yielded = next(inner)
        except StopIteration as stop:
            return stop.value
        sent = thrown = None
        try:
            sent = yield yielded
        except BaseException as error:
            if isinstance(error, GeneratorExit) and hasattr(inner, "close"):
                inner.close()
                raise
            if not hasattr(inner, "throw"):
                raise
            thrown = error
""",
    ),
)

_check_both(TUNNEL, lambda aio: aio.tunnel)


class _Stop(BaseException):
    """Not an Exception, as CancelledError is none."""


def _stubborn(events, kind=ValueError):
    while True:
        try:
            yield "waiting"
        except kind as error:
            events.append(f"inner catches {error}")
            try:
                yield "caught"
            except kind as again:
                events.append(f"inner catches {again}")
                return "enough"


@TUNNEL.check("an exception thrown in reaches the inner generator, which may catch it")
def _(aio):
    events = Events()
    outer = aio.tunnel(_stubborn(events))
    next(outer)
    try:
        events.append(f"throw gives {outer.throw(ValueError('one'))!r}")
    except ValueError:
        events.append("the tunnel ends with ValueError")
    expected = Events(["inner catches one", "throw gives 'caught'"])
    caught = "inner catches one" in events
    same(
        events,
        expected,
        "What `throw` returns is a value yielded: hand it out, as the others."
        if caught
        else "An exception thrown in must reach the inner generator: `inner.throw(error)`.",
    )


@TUNNEL.check("when it ends the inner generator, its value is returned")
def _(aio):
    outer = aio.tunnel(_stubborn([]))
    next(outer)
    outer.throw(ValueError("one"))
    stop = raises(
        StopIteration,
        lambda: outer.throw(ValueError("two")),
        "`inner.throw` may raise StopIteration, as `send` does: return its value.",
    )
    same(stop.value, "enough", "`inner.throw` may raise StopIteration: return its value.")


@TUNNEL.check("an exception that the inner one does not catch comes out again")
def _(aio):
    def inner():
        yield 1

    for iterable in (inner(), [1, 2]):
        outer = aio.tunnel(iterable)
        next(outer)
        try:
            outer.throw(ValueError("unseen"))
        except ValueError:
            continue
        except AttributeError:
            pass
        holds(False, "A list's iterator has no `throw`: then raise the exception again.")


@TUNNEL.check("an exception that is no Exception goes through as well")
def _(aio):
    events = Events()
    outer = aio.tunnel(_stubborn(events, _Stop))
    next(outer)
    try:
        outer.throw(_Stop("stop"))
    except _Stop:
        events.append("the inner one never saw it")
    same(
        events,
        Events(["inner catches stop"]),
        "Catch BaseException: cancelling, in lesson 06, is not an Exception.",
    )


@TUNNEL.check("`close` closes the inner generator first, then the tunnel")
def _(aio):
    events = Events()

    def inner():
        try:
            yield 1
        except GeneratorExit:
            events.append("inner closes")
            raise

    kept = inner()  # held here, so that only the tunnel can close it
    outer = aio.tunnel(kept)
    next(outer)
    sentence = "Close the inner generator before you raise GeneratorExit again: `inner.close()`."
    raises(GeneratorExit, lambda: outer.throw(GeneratorExit()), sentence)
    events.append("tunnel is closed")
    kept.close()
    same(events, Events(["inner closes", "tunnel is closed"]), sentence)


@TUNNEL.check("`close` works on a tunnel to a list, and to an iterator that has only `close`")
def _(aio):
    class Closable:
        closed = False

        def __iter__(self):
            return self

        def __next__(self):
            return 1

        def close(self):
            self.closed = True

    outer = aio.tunnel([1, 2])
    next(outer)
    try:
        outer.close()
    except AttributeError:
        holds(False, "A list's iterator has no `close`: look with `hasattr` before you call it.")
    inner = Closable()
    outer = aio.tunnel(inner)
    next(outer)
    outer.close()
    holds(inner.closed, "Close the inner one at GeneratorExit, also one that has no `throw`.")

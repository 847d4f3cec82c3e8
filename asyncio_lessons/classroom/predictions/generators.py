"""Predictions of lesson 02: when a generator runs, and what reaches it."""

from . import Prediction, Right, Wrong

FOO_CALLED = Prediction(
    "foo-called",
    "The next cell calls `foo()` and prints the state of what comes back. What else does it print?",
    Wrong(
        "`foo begins`",
        "An ordinary function would print it. The call of a generator function makes the generator "
        "and stops there, before the first line of the body.",
        belief="calling an `async def` runs it",
    ),
    Wrong(
        "all three lines of `foo`",
        "Nothing asks for a value, so the body does not run at all, let alone to its end.",
    ),
    Right("nothing else", "The call only makes the generator. The first `next` will run the body."),
    shows="GEN_CREATED",
)

THIRD_NEXT = Prediction(
    "third-next",
    "What does a third `next(gen)` do?",
    Wrong(
        "it returns `None`",
        "A function without a value to return gives `None`. `next` cannot do that: the caller "
        "could not tell it from a generator that yields `None`.",
    ),
    Right(
        "it prints `foo ends` and raises an exception",
        "The body runs from the second `yield` to its end. Then there is no value to give out, "
        "and the exception says so.",
    ),
    Wrong(
        "it returns 2 again",
        "`next` always runs the body further; it does not give a value twice.",
    ),
    Wrong(
        "it begins again with `foo begins`",
        "A generator runs its body once. To begin again, call `foo()` for a new generator.",
    ),
    shows="StopIteration: all said",
)

SEND_FIRST = Prediction(
    "send-first",
    'What does a new generator do with `send("okay dokie")` as the first thing?',
    Wrong(
        "it prints `nice`",
        "For that, `val = yield 1` would have to be suspended at its `yield`. A new generator "
        "has not reached it.",
        belief="a generator needs no priming",
    ),
    Wrong(
        "it prints `error`",
        "The value would have to reach `val` and be another one. It reaches nothing.",
    ),
    Wrong(
        "it returns 1 and drops the value",
        "That would lose what you sent without a word. Python refuses to lose it.",
    ),
    Right(
        "it raises an exception",
        "No `yield` is suspended that could evaluate to the value, so Python refuses it.",
    ),
    shows="TypeError: can't send non-None value to a just-started generator",
)

CLOSE_EARLY = Prediction(
    "close-early",
    "What does `close()` print when the generator was never resumed?",
    Right("nothing", "The body never entered the `try`, so no `finally` is due."),
    Wrong(
        "`cleaned up`",
        "`finally` runs when its `try` is left. The body has not begun, so it was never entered.",
    ),
    Wrong(
        "`GeneratorExit`, as an error",
        "`close` raises `GeneratorExit` inside a suspended body, and keeps it to itself when the "
        "body lets it out. Here there is not even a suspended `yield`.",
    ),
    shows="GEN_CLOSED",
)

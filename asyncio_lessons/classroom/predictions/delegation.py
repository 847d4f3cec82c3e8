"""Predictions of lesson 03: which function a value or an error reaches, and what the way costs."""

from . import Prediction, Right, Wrong

LOOP_LOSES = Prediction(
    "loop-loses",
    'What does `bar` print when the caller of `foo` answers with `gen.send("oh hi")`?',
    Wrong(
        "`bar receives 'oh hi'`",
        "`send` resumes `foo`, at its `yield question`. For `bar` to get the value, a line of "
        "`foo` would have to hand it on, and there is none.",
    ),
    Wrong(
        "nothing: only `foo` is resumed",
        "`foo` is resumed first, and its `for` loop then asks `bar` for the next question. So "
        "`bar` is resumed as well.",
    ),
    Right(
        "`bar receives None`",
        "The value of `yield question` in `foo` is `'oh hi'`, and `foo` drops it. The `for` loop "
        "resumes `bar` with `next`, which is `send(None)`.",
    ),
    shows="bar receives None",
)

FIVE_RESULTS = Prediction(
    "five-results",
    'All five levels are suspended. What comes of one `deep.send("oh hi")`?',
    Wrong(
        "`level(1)` returns `oh hi!` and the four above it stay suspended",
        "A level that delegates has nothing left to wait for when its inner generator returns: "
        "it continues at once, in the same `send`.",
    ),
    Right(
        "`StopIteration` with `oh hi!!!!!`",
        "The value goes to `level(1)` directly. Then each level returns, and its result is the "
        "value of the `yield from` one level up, which adds its own mark.",
    ),
    Wrong(
        "`StopIteration` with `oh hi!`",
        "The other four levels each run their last line too, because the result passes through "
        "their `yield from` on the way out.",
    ),
    Wrong(
        "`level(5)` gets `oh hi`, and four more `send` calls are needed",
        "A generator that delegates takes nothing for itself. What is sent in reaches the "
        "innermost one, however deep it is.",
    ),
    shows="StopIteration: oh hi!!!!!",
)

THROW_ORDER = Prediction(
    "throw-order",
    'What does `gen.throw(ValueError("line is dead"))` print first?',
    Right(
        "`inner cleans up`",
        "The error is raised where the chain is suspended, in `inner`, and travels outwards from "
        "there. Leaving `inner` runs its `finally`.",
    ),
    Wrong(
        "`outer catches: line is dead`",
        "`outer` does catch it, but only when it arrives there. It starts at the innermost "
        "suspended `yield`, and that is in `inner`.",
    ),
    Wrong(
        "`outer cleans up`",
        "`outer` catches the error inside its `try` and yields again, so it has not left that "
        "`try` yet, and its `finally` is not due.",
    ),
    shows="inner cleans up\nouter catches: line is dead",
)

SEND_TO_LIST = Prediction(
    "send-to-list",
    'What does `gen.send("oh hi")` do when the inner iterator belongs to a list?',
    Wrong(
        "it returns `two` and drops what was sent",
        "The loop of the first section loses values in this way. `yield from` hands everything "
        "on, or it fails.",
    ),
    Wrong(
        "it puts `oh hi` into the list",
        "`send` is a method of generators. Nothing connects it with `append`.",
    ),
    Right(
        "it raises an exception",
        "`yield from` calls the method `send` of the inner iterator, and a list's iterator has "
        "none.",
    ),
    shows="AttributeError",
)

RESUMPTIONS = Prediction(
    "resumptions",
    "With loops, a walk of depth 80 resumed frames 3,320 times. How often with `yield from`?",
    Wrong(
        "80 times, once for each value",
        "That would need a direct way from the caller to the innermost frame. The caller holds "
        "the outermost generator only, and each `next` begins there.",
    ),
    Wrong(
        "160 times, twice for each value",
        "One way in and one way out for each value would be so if the way had one step. It has "
        "one step for each level.",
    ),
    Right(
        "3,320 times, as with loops",
        "No line of yours runs at the levels between, but the interpreter still goes through "
        "each of them, for every value.",
    ),
    shows="3320",
)

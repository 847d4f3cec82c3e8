"""Predictions of lesson 04: when a coroutine runs, and what suspends it."""

from . import Prediction, Right, Wrong

GREET_CALLED = Prediction(
    "greet-called",
    "The next cell calls `greet` and prints the type of what comes back. What is its first line?",
    Wrong(
        "`hello, Ada`",
        "An ordinary function would print it. The call of an `async def` function makes a "
        "coroutine and runs none of its lines, as with a generator.",
        belief="calling an `async def` runs it",
    ),
    Wrong(
        "`the call returned a int`",
        "3 is what the body returns when it runs to its end. The call returns before the body "
        "has begun.",
    ),
    Right(
        "`the call returned a coroutine`",
        "The call only makes the object. The body waits for a first `send(None)`.",
    ),
    Wrong(
        "none: it fails without an event loop",
        "Making a coroutine is an ordinary call. No loop takes part in it.",
    ),
    shows="the call returned a coroutine",
)

AWAIT_TWICE = Prediction(
    "await-twice",
    "The coroutine of `price` is awaited twice. What happens at the second `await`?",
    Wrong(
        "it prints `second: 3`, the kept result",
        "A coroutine keeps no result: it is a call, and the call is over. What keeps a result is "
        "a future or a task (lessons 05 and 06).",
        belief="a coroutine can be awaited twice",
    ),
    Wrong(
        "it runs `price` again and prints `second: 3`",
        "The coroutine holds one frame, and that frame has ended. A second run needs a second "
        "call.",
    ),
    Wrong(
        "it prints `second: None`",
        "An exhausted generator ends a `for` loop quietly. For a coroutine that would hide a "
        "mistake, so `await` reports it.",
    ),
    Right("it raises an error", "The call is over, and there is no frame left to resume."),
    shows="RuntimeError: cannot reuse already awaited coroutine",
)

SEND_RESULT = Prediction(
    "send-result",
    "`patient` is suspended, and the driver sends 42. What does `patient` print?",
    Wrong(
        "`await gave 42`",
        "That is so for a generator that receives the value itself. Here the 42 reaches the "
        "`yield` inside `suspend`, and `await` evaluates to what `suspend` returns.",
        belief="results are sent into the coroutine",
    ),
    Right(
        "`await gave None`",
        "`suspend` drops the 42 and returns nothing, and that is the value of the `await`.",
    ),
    Wrong(
        "nothing: `send` refuses the 42",
        "It refuses a value only before the first `yield`. `patient` is suspended at one.",
    ),
    shows="await gave None",
)

AWAIT_NOTHING = Prediction(
    "await-nothing",
    "In which order do the four lines of the twins come?",
    Wrong(
        "tick 1, tock 1, tick 2, tock 2",
        "For that, `await nothing()` would have to suspend. `nothing` has no `yield` below it.",
        belief="every `await` gives way to the loop",
    ),
    Right(
        "tick 1, tick 2, tock 1, tock 2",
        "`await nothing()` runs `nothing` to its end like an ordinary call, and nothing is "
        "suspended on the way.",
    ),
    Wrong(
        "tick 1, tock 1, and no more",
        "Each is sent `None` once, and it would need a second `send` if the first had suspended "
        "it. It did not.",
    ),
    shows="tick 1\ntick 2\n",
)

WITHOUT_ASYNCIO = Prediction(
    "without-asyncio",
    "While asyncio cannot be imported, what does driving `tea` do?",
    Wrong(
        "it fails: `async` and `await` need asyncio",
        "They are words of the language, as `def` and `yield` are. Python compiles them without "
        "any library.",
        belief="`async`/`await` is asyncio",
    ),
    Wrong(
        "it fails: there is no event loop that runs",
        "A coroutine needs something that calls `send`. `drive` does, and is no event loop.",
    ),
    Right(
        "it returns `assam at 95`",
        "`drive` sends `None` until the coroutine ends. That is all a coroutine needs.",
    ),
    shows="returned: assam at 95",
)

"""Predictions of lesson 07: what runs in which turn, how long the loop sleeps, what blocks it."""

from . import Prediction, Right, Wrong

TURN_ORDER = Prediction(
    "turn-order",
    "What are the last lines that the next cell prints?",
    Wrong(
        "`again`, `added by again`, `last`",
        "`call_soon` runs nothing and inserts nothing: it puts the callback at the end of the "
        "queue, after `last`.",
    ),
    Wrong(
        "`last`, `added by again`, all in turn 1",
        "The order is right. But the turn counted what was ready when it began: three callbacks.",
    ),
    Right(
        "`last`, then `turn 2` and `added by again`",
        "A turn runs what was ready when it began. What is added meanwhile is for the next one.",
    ),
    shows="  last\nturn 2\n  added by again",
)

SOON_COROUTINE = Prediction(
    "soon-coroutine",
    "`make_tea` is an `async def` function, given to `call_soon`. What does the next cell print?",
    Wrong(
        "`turn 1` and `tea`",
        "For that, the loop would have to drive what the call returns. A handle calls its "
        "callback and drops what comes back.",
        belief="`call_soon` takes a coroutine",
    ),
    Right(
        "`turn 1` and a warning",
        "The handle calls `make_tea`, which makes a coroutine. It is thrown away before it ran.",
    ),
    Wrong(
        "an error from `call_soon`",
        "`call_soon` looks at nothing it is given, because it is called very often. Debug mode "
        "does look.",
    ),
    shows="coroutine 'make_tea' was never awaited",
)

LOOP_SLEEPS = Prediction(
    "loop-sleeps",
    "Two timers are due after 3,600 and 3,601 seconds. How long is the clock asked to sleep?",
    Wrong(
        "a moment, again and again",
        "That is the loop that spins. This one knows from its heap when the next timer is due.",
        belief="the loop keeps asking (spins)",
    ),
    Wrong(
        "one second, 3,601 times",
        "Nothing happens at those seconds, so there is nothing to wake for.",
    ),
    Wrong(
        "3,600 seconds, then 3,601",
        "The second sleep begins when the first is over: the timer's time minus the time now.",
    ),
    Right(
        "3,600 seconds, then 1",
        "The loop sleeps until the first timer, and then until the next: two sleeps in an hour.",
    ),
    shows="sleeps 3600 s\nan hour is over\nsleeps 1 s",
)

ENTER_AGAIN = Prediction(
    "enter-again",
    "What does the call of `run_until_complete` inside the task give?",
    Right(
        "a `RuntimeError`",
        "The loop runs already: it is in the middle of the turn that called this task.",
    ),
    Wrong(
        "42, one second later",
        "A second run inside the first would run other tasks in the middle of this step. The "
        "loop refuses.",
        belief="the loop can be entered again from inside",
    ),
    Wrong(
        "nothing: the program hangs",
        "It would, if the call waited for a loop that waits for the call. The loop looks first "
        "whether it runs.",
    ),
    shows="RuntimeError: This event loop is already running",
)

SLEEP_ZERO = Prediction(
    "sleep-zero",
    "How many steps of the helper are done after the one `await aio.sleep(0)` in `main`?",
    Wrong(
        "none: `[]`",
        "`main` went to the end of the queue, behind the helper, which was there since "
        "`create_task`.",
    ),
    Right("one: `[1]`", "The helper took one step, to its own `sleep(0)`. Then came `main`."),
    Wrong(
        "all three: `[1, 2, 3]`",
        "The helper gives way, too. After each of its steps `main` is before it in the queue.",
        belief="one `sleep(0)` lets everything finish",
    ),
    shows="after one sleep(0): [1]",
)

BEATS_MEANWHILE = Prediction(
    "beats-meanwhile",
    "The heart beats each 0.1 s, and the cook calls `time.sleep(0.5)`. How many beats meanwhile?",
    Wrong(
        "5: the cook sleeps, so the loop runs the heart",
        "`time.sleep` tells the operating system, not the loop. It blocks the thread, and the loop "
        "runs in this thread.",
        belief="`time.sleep` is fine inside async",
    ),
    Wrong(
        "1: the one whose timer is due next",
        "Its timer becomes due, and no turn comes in which the loop could look at it.",
    ),
    Right(
        "none",
        "`time.sleep` returns after 0.5 s, and until then the cook's step is not over.",
    ),
    shows="beats meanwhile: 0",
)

"""Predictions of lesson 09: what waits at the same time, and what happens to the others."""

from . import Prediction, Right, Wrong

SEQUENTIAL = Prediction(
    "two-awaits",
    "How long does `hello` take?",
    Wrong(
        "1 s",
        "That is when `Hello ` is printed. The value of `await world()` is not there before "
        "`world` has returned.",
    ),
    Wrong(
        "2 s, because both sleep at the same time",
        "For that `world` would have to sleep while the first sleep lasts. It is called on the "
        "last line, when the first sleep is over.",
        belief="sequential awaits run together",
    ),
    Right(
        "3 s",
        "`world()` is called after the first sleep, and it runs inside the task of `hello`. One "
        "task waits for one thing at a time.",
    ),
    shows="3.0 seconds",
)

AWAIT_A_B = Prediction(
    "await-a-comma-b",
    "The next cell prints the types of the values that `shopping` returns. What are they?",
    Wrong(
        "`str` and `str`",
        "The comma does not belong to `await`. Python reads `(await a), b`, and `b` is not "
        "awaited.",
        belief="`await a, b` awaits both",
    ),
    Right(
        "`str` and `coroutine`",
        "`await` takes the first call only. The comma then makes a tuple of its value and of the "
        "second coroutine, which has not begun.",
    ),
    Wrong(
        "none: a tuple cannot be awaited",
        "It would be so for `await (a, b)`. Without the parentheses `await` binds more closely "
        "than the comma.",
    ),
    shows="['str', 'coroutine']",
)

ORDER = Prediction(
    "gather-order",
    "Tea takes 3 s and milk 1 s. What does `gather(tea, milk)` give?",
    Right(
        "`['tea', 'milk']`",
        "The list has the order of the arguments, so that you can tell the results apart.",
    ),
    Wrong(
        "`['milk', 'tea']`",
        "Milk ends first, and its result is kept until tea has ended, too. The list is made then, "
        "from the arguments.",
        belief="`gather` gives results in the order of finishing",
    ),
    Wrong(
        "`['milk']` after 1 s",
        "`gather` waits for all. What returns at the first is `wait` with `FIRST_COMPLETED`.",
    ),
    shows="['tea', 'milk']",
)

GATHER_FAILS = Prediction(
    "gather-fails",
    "The cake fails after 1 s. What is printed about tea and milk?",
    Wrong(
        "both are cancelled",
        "`gather` cancels its tasks when it is cancelled itself. When one of them fails it hands "
        "on the error, and does nothing to the others.",
        belief="`gather` cancels the rest on an error",
    ),
    Wrong(
        "the error is printed at 3 s: `gather` waits for both first",
        "That is what `return_exceptions=True` does. Without it the first error is raised at once.",
    ),
    Wrong(
        "milk is done and tea is cancelled",
        "There is no rule by which one of them could be kept and the other not.",
    ),
    Right(
        "none was cancelled",
        "The error is raised at 1 s, and the two tasks continue. Their results are thrown away.",
    ),
    shows="cancelled: []",
)

INNER = Prediction(
    "wait-for-inner",
    "What has become of the task `tea` when `wait_for` raises its `TimeoutError`?",
    Wrong(
        "it continues: only the waiting is over",
        "The timeout cancels the task that waits, and `cancel` is passed down to what that task "
        "awaits. That is `tea`.",
        belief="`wait_for`/`shield` leave the inner alone",
    ),
    Right(
        "it is cancelled",
        "The timeout cancels the waiting task, which passes the cancellation on to what it awaits.",
    ),
    Wrong(
        "it is done: `TimeoutError` is its result",
        "The error is raised in the task that waits. `tea` has never seen it.",
    ),
    shows="tea is cancelled: True",
)

SHIELD_ENDS = Prediction(
    "shield-at-the-end",
    "`forgetful` returns at 1 s, with tea shielded and not awaited. What becomes of the tea?",
    Wrong(
        "it is made: the shield protects it",
        "The shield stopped one cancellation, that of the timeout. When the main task has ended, "
        "`run` cancels every task that is left.",
        belief="`wait_for`/`shield` leave the inner alone",
    ),
    Wrong(
        "`run` waits until it is made",
        "`run` waits for the main task only. A task group waits for all of its tasks.",
    ),
    Right(
        "it is cancelled",
        "`run` ends with the main task and cancels what is left. The shield does not stand in "
        "that way.",
    ),
    shows="tea is cancelled: True",
)

"""Predictions of lesson 06: when a task runs, where its errors go, what keeps it alive."""

from . import Prediction, Right, Wrong

TASK_CREATED = Prediction(
    "task-created",
    "What does the next cell print first?",
    Wrong(
        "`waiting for the kettle`",
        "That was `start`, which took the first step itself. A task takes its first step when the "
        "loop comes to it, so the code that made it can finish what it is doing.",
        belief="`create_task` starts it now",
    ),
    Right(
        "`made a task`",
        "Making a task puts it into the ready queue and returns. The body begins inside "
        "`loop.run()`.",
    ),
    Wrong(
        "`in the queue: 1`",
        "The task is in the queue, but that line is printed second.",
    ),
    shows="made a task",
)

SILENT_ERROR = Prediction(
    "silent-error",
    "No code awaits this task, and its coroutine raises. What is printed while the loop runs?",
    Wrong(
        "a report of the `ValueError`",
        "The task cannot know that no code will ask. A task that is about to await it would find "
        "the error in good time, and a report now would be a false alarm.",
        belief="an error in a background task shows up by itself",
    ),
    Wrong(
        "nothing: the loop stops with the `ValueError`",
        "`_run` catches what the coroutine raises and keeps it in the task. The loop is not "
        "touched by it.",
    ),
    Right(
        "nothing",
        "The error is the task's outcome, and it is kept there until code asks for it.",
    ),
    shows="the loop has run\nreport",
)

CANCEL_REQUESTED = Prediction(
    "cancel-requested",
    "The cook waits for the kettle. What does the next cell print for `asked`, and what for"
    " `cancelled`?",
    Right(
        "`True`, then `False`",
        "`cancel()` accepts the request and returns. The loop resumes the task later, and only "
        "then can the coroutine end.",
    ),
    Wrong(
        "`True`, then `True`",
        "A coroutine cannot be stopped between two of its steps from outside: it has to be "
        "resumed, so that it can clean up, and it is the loop that resumes it.",
        belief="`cancel()` is instant and certain",
    ),
    Wrong(
        "`False`, then `False`",
        "`cancel()` returns `False` only for a task that is done. This one is pending.",
    ),
    shows="cancelled: False",
)

EXCEPT_EXCEPTION = Prediction(
    "except-exception",
    "The task waits inside its `try`, and is cancelled. Which line is printed?",
    Wrong(
        "`caught: CancelledError`",
        "It would be so if `CancelledError` were an `Exception`. It is a `BaseException`, so that "
        "a handler for errors does not refuse a request to stop.",
        belief="`except Exception` sees `CancelledError`",
    ),
    Wrong(
        "`caught: CancelledError`, and then `cleaned up`",
        "A `finally` does run in any case. The `except` above it does not match this error.",
    ),
    Wrong(
        "none: the task is stopped without a further step",
        "Cancelling resumes the task, with an error. That is why its `finally` runs.",
    ),
    Right(
        "`cleaned up`",
        "`except Exception` does not match `CancelledError`. The `finally` runs, and the error "
        "leaves the coroutine.",
    ),
    shows="cleaned up",
)

TASK_UNHELD = Prediction(
    "task-unheld",
    "The task waits for a future that only its own coroutine knows. What happens to it in "
    "`gc.collect()`?",
    Wrong(
        "nothing: a task that is pending is kept by the loop",
        "The loop knows its tasks by weak references, which keep nothing alive. What keeps a "
        "task is what can wake it up.",
        belief="a task lives until it is done",
    ),
    Right(
        "it is deleted, and reported",
        "The task and its future refer to each other, and nothing outside refers to either. "
        "Python deletes such a circle.",
    ),
    Wrong(
        "it is cancelled",
        "Cancelling resumes the coroutine with `CancelledError`. Here the coroutine never gets "
        "another step.",
    ),
    shows="Task was destroyed but it is pending!",
)

OTHER_LOOP = Prediction(
    "other-loop",
    "The task runs on `loop` and awaits a future of another loop. What happens?",
    Wrong(
        "it waits until that future is done, as for any other",
        "The future would put the task's wake-up into the queue of its own loop. That loop may "
        "run in another thread, or not at all.",
        belief="objects do not care which loop",
    ),
    Wrong(
        "the task moves to the other loop",
        "A task belongs to one loop from its first step to its last.",
    ),
    Right(
        "its coroutine gets a `RuntimeError`",
        "The task compares the two loops, refuses, and throws the error in at the `await`.",
    ),
    shows="attached to a different loop",
)

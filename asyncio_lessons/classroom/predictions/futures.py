"""Predictions of lesson 05: where a result and an error go, and when callbacks run."""

from . import Prediction, Right, Wrong

LOST_ERROR = Prediction(
    "lost-error",
    "The next cell calls `ask_for_bob` and runs the loop. Which code is told of the `KeyError`?",
    Wrong(
        "the `except` in `ask_for_bob`",
        "An `except` sees what is raised while its `try` block runs. Here the block has only "
        "scheduled a callback, and is over when the error is raised.",
    ),
    Wrong(
        "the last `lambda`, in place of the price",
        "`find_price` fails before it can schedule that lambda, so the lambda is never called: it "
        "gets neither a price nor an error.",
    ),
    Right(
        "only the loop, which reports it",
        "When the error is raised, the loop is the only caller left. It does not know for which "
        "question the callback ran, so all it can do is report.",
    ),
    shows="report: Exception in callback",
)

RESULT_TOO_EARLY = Prediction(
    "result-too-early",
    "The future is pending. What does `future.result()` do?",
    Wrong(
        "it waits until there is a result",
        "It is an ordinary call, and only this thread could run the code that brings the result. "
        "If the call waited, nothing would ever set the result.",
    ),
    Right(
        "it raises an error",
        "An ordinary call cannot be suspended, so it must return or raise now. There is nothing "
        "to return.",
    ),
    Wrong(
        "it returns `None`",
        '`None` may be the result itself. If it also meant "not yet", the caller could not tell '
        "the two apart.",
    ),
    shows="InvalidStateError",
)

SET_RESULT_RUNS = Prediction(
    "set-result-runs",
    "The same van, the same customer, and a future of the course. When does the customer unpack?",
    Wrong(
        "inside `set_result`, before the van continues",
        "That was `HastyFuture`. If this future did so too, every callback could delay the code "
        "that sets the result, and its errors would arrive there.",
        belief="`set_result` runs the waiters at once",
    ),
    Wrong(
        "never, because no coroutine awaits the future",
        "A callback needs no coroutine. `add_done_callback` is enough to be called.",
    ),
    Wrong(
        "when the van calls `future.result()`",
        "`result()` only reads. No callback depends on whether the result is read.",
    ),
    Right(
        "after `deliver` has returned, inside `loop.run()`",
        "`set_result` only moves the callback into the ready queue. The loop runs it when its "
        "turn comes.",
    ),
    shows="in the queue: 1",
)

WHAT_AWAIT_YIELDS = Prediction(
    "what-await-yields",
    "You are the driver: you send `None` into `coro`, which awaits a pending future. What does "
    "`send` return?",
    Wrong(
        "`None`, as with `suspend`",
        "`suspend` has a bare `yield`, which gives out `None`. The `yield` in `__await__` has a "
        "value: `yield self`.",
    ),
    Right(
        "the future",
        "`yield self` at the bottom of the chain reaches the driver, as every `yield` does. Now "
        "the driver knows what the coroutine waits for.",
    ),
    Wrong(
        "the result of the future",
        "There is no result yet. It will come out of `await`, inside the coroutine, and not out "
        "of `send`.",
    ),
    Wrong(
        "nothing: `send` waits for the result",
        "`send` returns when the coroutine yields, and the pending future yields at once.",
    ),
    shows="True",
)

AWAIT_THREAD_FUTURE = Prediction(
    "await-thread-future",
    "`done_by_a_thread` is a `concurrent.futures.Future` that has its result already. What does "
    "`await` do with it?",
    Wrong(
        "it gives the result",
        "The two classes have the same name and many methods in common, but they are two "
        "classes. This one was written for threads, before `await` existed.",
        belief="`asyncio.Future` is `concurrent.futures.Future`",
    ),
    Wrong(
        "it blocks the thread until the result is there",
        "That is what its own `result()` would do while it is pending. `await` never gets as far.",
    ),
    Right(
        "it raises a `TypeError`",
        "The class has no method `__await__`, so its objects are not awaitable, whatever they "
        "hold.",
    ),
    shows="TypeError",
)

"""Predictions of lesson 11: what is Python's, what is asyncio's, and where a loop may be run."""

from . import Prediction, Right, Wrong

DRIVEN = Prediction(
    "driven-by-hand",
    "No event loop is involved in the first call, `drive(brew())`. What does it do?",
    Wrong(
        "it fails: a coroutine needs asyncio",
        "`async` and `await` are part of the language. A coroutine needs something that calls "
        "`send`, and `drive` is that.",
        belief="`async`/`await` is asyncio",
    ),
    Wrong(
        "it returns a coroutine, not a value",
        "The call `brew()` returns the coroutine. `drive` sends `None` into it until it ends.",
    ),
    Right(
        "it returns `tea`",
        "`brew` waits for nothing, so one `send` runs it to its end. asyncio's loop does the same.",
    ),
    shows="tea tea tea",
)

IN_A_CELL = Prediction(
    "run-in-a-cell",
    "What does `asyncio.run(coro)` do in this cell?",
    Wrong(
        "it runs `main` and returns `tea`",
        "It would in a program that has no running loop. Here your cell is part of a task of the "
        "kernel's loop.",
        belief="`asyncio.run` works anywhere",
    ),
    Right(
        "it raises an error",
        "The kernel is an asyncio program. Its loop runs in this thread, and a loop cannot be "
        "entered again from inside.",
    ),
    Wrong(
        "it runs `main` on the loop that runs already",
        "`asyncio.run` would have to wait for that loop, which waits for this cell. It makes a "
        "loop of its own or refuses.",
        belief="the loop can be entered again from inside",
    ),
    shows="RuntimeError: asyncio.run() cannot be called from a running event loop",
)

NESTED = Prediction(
    "nested-loops",
    "A waits 0.1 s and was called first, B waits 0.5 s. Which one is back first?",
    Right(
        "B, and then A",
        "B's loop runs inside A's, as one function call inside another. A can return only after "
        "B has returned.",
    ),
    Wrong(
        "A, after 0.1 s, and then B",
        "That would be two loops side by side. Nested loops share one call stack, and B's call "
        "lies on top of A's.",
        belief="`nest_asyncio` is the fix",
    ),
    Wrong(
        "neither: a running loop cannot be entered again",
        "asyncio refuses. `nest_asyncio` has replaced the functions that refuse.",
    ),
    shows="B is back",
)

EAGER = Prediction(
    "eager-order",
    "What does the cell print with the eager task factory?",
    Wrong(
        "`created`, then `the task runs`",
        "That is the order without the factory: `create_task` only puts the task into the ready "
        "queue.",
    ),
    Wrong(
        "only `created`",
        "The task is held by a name and awaited, so it runs in any case.",
    ),
    Right(
        "`the task runs`, then `created`",
        "An eager task takes its first step inside `create_task`, up to its first suspension.",
    ),
    shows="the task runs\ncreated",
)

OLD_FORMS = Prediction(
    "old-forms",
    "Which of these works on every Python from 3.6 to 3.14?",
    Wrong("`@asyncio.coroutine`", "It is gone since 3.11: asyncio has no such attribute."),
    Wrong(
        "`with await lock:`",
        "Since 3.9 it raises `TypeError`. Taking a lock may suspend, so it is `async with`.",
    ),
    Wrong(
        "`asyncio.Queue(loop=loop)`",
        "Since 3.10 it raises `TypeError`: objects find their loop when they first wait.",
    ),
    Right(
        "`loop.run_until_complete(main())`",
        "It is the long form of `asyncio.run(main())`, and the loop still has this method.",
    ),
    shows="loop.run_until_complete(main())",
)

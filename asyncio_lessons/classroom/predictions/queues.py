"""Predictions of lesson 10: who waits at a queue, and what may happen between two lines."""

from . import Prediction, Right, Wrong

BARE_PUT = Prediction(
    "a-bare-put",
    "How many items are in the queue after one turn?",
    Right(
        "0",
        "`queue.put(1)` makes a coroutine, as the call of every `async def` function does. No task "
        "drives it.",
    ),
    Wrong(
        "1",
        "`put` has to be able to wait for room, so it is a coroutine function. Calling it runs "
        "none of its lines.",
        belief="`q.put(x)` puts",
    ),
    Wrong(
        "none: `put` without `await` is an error",
        "Calling a coroutine function is an ordinary call, and is allowed. Python warns when the "
        "coroutine is thrown away without having run.",
    ),
    shows="0 items",
)

SLOW_BAKER = Prediction(
    "how-long-with-a-limit",
    "Without a limit the last loaf is sold after 5.2 s. How long does it take with `Queue(1)`?",
    Wrong(
        "longer, because the baker has to wait",
        "The baker waits in time that it would have spent being ahead. The shop always finds a "
        "loaf, so it never waits longer than before.",
    ),
    Wrong(
        "not as long: a short queue is faster",
        "The shop needs 1 s for each loaf, and no queue changes that.",
    ),
    Right(
        "5.2 s, too",
        "The shop sets the pace. It needs 5 s for five loaves, and the first is there after 0.2 s.",
    ),
    shows="5.2 s and 5.2 s",
)

JOIN_HANGS = Prediction(
    "join-hangs",
    "What does `await jobs.join()` do when job 2 has failed?",
    Wrong(
        "it raises the `ValueError`",
        "The error ends worker 2 and stays in its task. `join` waits for a number, and knows "
        "nothing of workers.",
    ),
    Right(
        "it never returns",
        "`task_done()` is called for two of three jobs, so one stays unfinished. No task is left "
        "that would call it again.",
    ),
    Wrong(
        "it returns: the queue is empty",
        "`join` does not look at the items. It waits until `task_done()` was called for each.",
        belief="`queue.join()` cannot hang",
    ),
    shows="Deadlock",
)

HUNDRED = Prediction(
    "a-hundred-increments",
    "A hundred tasks run `increment`, in one thread. What is the counter at the end?",
    Wrong(
        "100: one thread runs one task at a time",
        "It runs one task at a time, and changes to another at each `await` that suspends. Such an "
        "`await` stands between reading and writing.",
        belief="one thread, so no races",
    ),
    Wrong(
        "something between 2 and 99, different each time",
        "That is what threads do, which are interrupted anywhere. Tasks change at their `await`, "
        "and the loop has an order, so the result is the same each time.",
    ),
    Wrong(
        "0",
        "Every task writes what it has read plus one, so the last write is at least 1.",
    ),
    Right(
        "1",
        "In the first turn all hundred read 0. In the second all hundred write 1.",
    ),
    shows="counter: 1",
)

SEEDS = Prediction(
    "two-hundred-orders",
    "In how many of 200 shuffled orders is a payment lost?",
    Wrong(
        "in none: it was right 200 times",
        "That was one order, 200 times. It says nothing of the others.",
    ),
    Wrong(
        "in one or two",
        "It would be rare if many things had to come together. Here two timers are due at the "
        "same moment, and either may be first.",
    ),
    Right(
        "in about half of them",
        "It depends on which of two tasks that are ready together runs first.",
    ),
    Wrong(
        "in all of them",
        "The usual order is among the 200, and that order loses nothing.",
    ),
    shows="101 of 200",
)

OVENS = Prediction(
    "five-loaves",
    "Five loaves, two ovens, one second for each loaf. When is the last loaf done?",
    Wrong(
        "after 2 s",
        "Two rounds have room for four loaves only.",
    ),
    Right(
        "after 3 s",
        "Two, two, and one. A loaf that comes out wakes the one that has waited longest.",
    ),
    Wrong(
        "after 5 s",
        "That is a lock: one loaf at a time.",
    ),
    shows="3.0 s",
)

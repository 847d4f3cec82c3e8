"""Predictions of lesson 13: what workers share, and how they end."""

from . import Prediction, Right, Wrong

DURATION = Prediction(
    "ten-jobs-three-workers",
    "One task needed 2.26 s for the ten jobs. How long do three workers need?",
    Wrong(
        "a third of it, 0.75 s",
        "Then everything would have to divide by three. The downloads do, the computing does "
        "not: two jobs never compute at the same time.",
        belief="async is parallel, so faster",
    ),
    Wrong(
        "2.26 s again, there is only one thread",
        "One thread computes one job at a time, but waiting needs no thread: three downloads "
        "wait at the same time.",
    ),
    Right(
        "more than a third, and far less than 2.26 s",
        "Three downloads wait at the same time. The computing adds up, and `main` puts the last "
        "job in only after 755 ms.",
    ),
    shows="0.99 s",
)

LATE = Prediction(
    "worker-two-is-late",
    "When does worker 2, whose download ends at 180 ms, begin to compute?",
    Wrong(
        "at 180 ms, when its download is over",
        "A timer that is due does not interrupt a task that runs. At 180 ms worker 1 computes, "
        "and the loop looks at its timers only when that task suspends.",
    ),
    Wrong(
        "at 190 ms, when worker 1 has computed",
        "At 190 ms two tasks become ready. The timer of worker 3 was due earlier, so worker 3 "
        "stands first in the ready queue.",
    ),
    Wrong(
        "at 220 ms, after 40 ms of its own",
        "That would be the end of its computing if it had begun at 180 ms. It does not run then.",
    ),
    Right(
        "at 230 ms, when workers 1 and 3 have computed",
        "Worker 1 holds the loop until 190 ms. Then worker 3 runs first, because its timer was "
        "due at 165 ms, and it holds the loop until 230 ms.",
    ),
    shows="computes 2",
)

NOT_ENDED = Prediction(
    "workers-not-ended",
    "All four jobs are done. What does `await aio.gather(*workers)` do then?",
    Wrong(
        "it returns: a worker ends when no job is left",
        "The worker's loop is `while True`. An empty queue does not end it: `get` waits for the "
        "next job, and there is none.",
        belief="workers may be left waiting at exit",
    ),
    Right(
        "it waits for ever",
        "Each worker waits in `jobs.get()`, no task is left that could put a job in, and `gather` "
        "waits for the workers.",
    ),
    Wrong(
        "it raises `CancelledError`",
        "For that a task would have to cancel the workers. Neither `join` nor `gather` does.",
    ),
    shows="nothing is left that could wake these tasks",
)

COMPUTING = Prediction(
    "jobs-that-compute",
    "The four jobs that wait take 400 ms. How long do the four that compute take?",
    Wrong(
        "400 ms too, three at a time",
        "Three tasks are not three threads. The loop runs one of them at a time, and a job that "
        "computes holds it.",
        belief="async is parallel, so faster",
    ),
    Right(
        "800 ms: the four computations add up",
        "One thread computes, and a task that computes does not suspend.",
    ),
    Wrong(
        "more than 800 ms: changing workers costs time",
        "A change of tasks costs about a microsecond of real time. On the virtual clock it takes "
        "no time at all.",
    ),
    shows="400 ms, then 800 ms",
)

PUT_BACK = Prediction(
    "job-put-back",
    "What happens to job 2, which `careful` puts back?",
    Wrong(
        "it is lost, and the program ends without it",
        "The job is in the queue again, and the count of `join` includes it. The program cannot "
        "end before it is done.",
    ),
    Wrong(
        "worker 2 continues with it: it has caught the error",
        "It has caught the error and raises it again. The task ends as cancelled.",
    ),
    Wrong(
        "it counts twice, so `join()` never returns",
        "`put_nowait` adds one, and `task_done` in the `finally` takes away the one of the first "
        "attempt. The count is right.",
    ),
    Right(
        "another worker does it, and the program ends",
        "Job 2 is in the queue, after job 4. Worker 1 takes job 4, and worker 3 takes job 2.",
    ),
    shows="worker 2",
)

"""Predictions of lesson 00: guesses about a program whose parts are not explained yet."""

from . import Prediction, Right, Wrong

HOW_MANY_THREADS = Prediction(
    "how-many-threads",
    "Three workers download at the same time. How many threads does the program use?",
    Right(
        "one",
        "A worker that waits for a download needs no thread. It needs a place that keeps where it "
        "stopped, and a program that resumes it later.",
    ),
    Wrong(
        "three, one for each worker",
        "Programs with threads do it in this way. Here a worker is not a thread: it is an object "
        "that keeps where its function has stopped.",
    ),
    Wrong(
        "four: three workers and the main program",
        "The main program takes turns with the workers, too. When one of the four runs, the other "
        "three wait.",
    ),
    Wrong(
        "ten, one for each job",
        "A job is a number in a queue here, the length of a download. It runs nothing by itself.",
    ),
    shows="threads: 1",
)

THREE_WORKERS = Prediction(
    "three-workers",
    "One worker would need 2.26 s: 1.86 s of downloads and 0.4 s of computing. And three workers?",
    Wrong(
        "2.26 s, because there is one thread",
        "The thread is needed for the computing. The downloads need no thread, and three of them "
        "run at the same time.",
    ),
    Wrong(
        "0.32 s, as long as the longest job",
        "For that, all ten downloads would have to run at the same time. Three workers do three "
        "jobs at a time.",
    ),
    Right(
        "about a third of it",
        "Three downloads overlap at any time. The computing does not overlap, so it takes a "
        "little more than a third.",
    ),
    shows="0.84 s",
)

TWO_SLEEPERS = Prediction(
    "two-sleepers",
    "How long does the next cell take, on the clock of the program?",
    Wrong(
        "no time: it only starts them",
        "The last two lines wait until each of them has ended.",
    ),
    Right(
        "one second",
        "Both sleep during the same second. Each needs the thread for two moments: to begin, and "
        "to end.",
    ),
    Wrong(
        "two seconds",
        "That would be so if `b` began when `a` has ended. Both are created before the first line "
        "that waits.",
    ),
    shows="1 s",
)

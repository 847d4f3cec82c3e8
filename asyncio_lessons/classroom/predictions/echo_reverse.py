"""Predictions of lesson 12: which client waits for which, and what ends a server."""

from . import Prediction, Right, Wrong

SECOND = Prediction(
    "second-client-asks",
    "The first client is connected and says nothing. The second one asks. What does it get?",
    Wrong(
        "an error when it connects: the server is busy",
        "`listen(1)` lets a client wait in the system's queue. Its `connect` succeeds although the "
        "server has not accepted it.",
    ),
    Wrong(
        "its answer: the first client is idle",
        "The first client is idle, the server is not: it waits in `recv` for that client, and its "
        "one thread can do nothing else.",
    ),
    Right(
        "its answer, after the first client has left",
        "Until then the server waits in `recv` for the first client, and the second times out.",
    ),
    shows="TimeoutError: timed out",
)

FIRST = Prediction(
    "answered-at-once",
    "Client 1 is connected and thinks. Client 2 asks. Which engines answer client 2 at once?",
    Wrong(
        "all seven",
        "`blocking` has one thread and waits in `recv` for client 1. Client 2 waits until client 1 "
        "leaves.",
    ),
    Wrong(
        "`threads`, and no other: the others have one thread",
        "One thread is enough, if it waits for all clients at once. Five engines do so.",
        belief="async is parallel, so faster",
    ),
    Wrong(
        "`generators`, `lessons` and `asyncio`",
        "`selector` waits for all clients, too, and `polling` asks each in turn. Neither needs a "
        "function that can be suspended.",
    ),
    Right(
        "all but `blocking`",
        "Each of the six others has a thread for client 2, or one thread that waits for all "
        "clients at once.",
    ),
    shows="'blocking': 9",
)

SPINS = Prediction(
    "uses-the-processor",
    "No client asks anything. Which engines use the processor?",
    Wrong(
        "`threads`: three threads have to be run",
        "A thread that waits in `recv` is not run at all. The system wakes it when bytes arrive.",
    ),
    Right(
        "`polling`",
        "It asks each client in turn, without end, whether there is anything to read. All others "
        "sleep in a call of the system.",
    ),
    Wrong(
        "all but `blocking`: a loop turns all the time",
        "An event loop with nothing to do sleeps in `select`. It turns when something happened.",
    ),
    shows="spins",
)

VANISHES = Prediction(
    "client-vanishes",
    "A client begins a message and vanishes: its connection is reset. What becomes of the server?",
    Right(
        "it ends, with all its clients",
        "`sock_recv` raises `ConnectionResetError` in that client's task. The tasks of a "
        "`TaskGroup` share their fate: the error cancels the others, and `serve` too.",
    ),
    Wrong(
        "nothing: the error stays in that client's task",
        "So it would be without a group: the server would live, and the error would be reported "
        "late or never.",
    ),
    Wrong(
        "the task of that client ends, the others continue",
        "That is what a server should do. A `TaskGroup` does it only if the task itself handles "
        "the error.",
    ),
    shows="the server has ended",
)

PIECES = Prediction(
    "two-pieces",
    "A client sends `Hello ` and then `Server!` with a newline. What does it receive?",
    Wrong(
        "the whole message reversed",
        "For that the server would have to know where the message ends. It reverses what `recv` "
        "gives it.",
    ),
    Right(
        "each piece reversed",
        "A stream has no messages, only bytes. `recv` gives what has come so far.",
    ),
    Wrong(
        "nothing before the newline",
        "The newline means something to the protocol. `sock_recv` knows nothing of it.",
    ),
    shows="b' olleH'",
)

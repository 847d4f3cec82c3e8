"""Predictions of lesson 08: pieces of a stream, who is resumed, what blocks, other threads."""

from . import Prediction, Right, Wrong

THREE_RECEIVES = Prediction(
    "three-receives",
    "The far end sends `one `, then `two `, and closes. What do three calls of `sock_recv` give?",
    Wrong(
        "`b'one '`, `b'two '`, an error",
        "A stream has no messages: what is there comes in one piece. And an end is no error.",
    ),
    Wrong(
        "`b'one '`, `b'two '`, `b''`",
        "The system keeps the bytes, not the calls of `send` they came from.",
    ),
    Right(
        "`b'one two '`, `b''`, `b''`",
        "`recv` gives what is there, up to 1,024 bytes. After the end it gives nothing, each time.",
    ),
    shows="b'one two '\nb''\nb''",
)

AFTER_RESUME = Prediction(
    "after-resume-2",
    "The first event is for request 2: there is room to send. What comes right after `resume 2`?",
    Wrong(
        "`process 2`",
        "`process` needs the answer, and so far only the question is sent.",
    ),
    Right(
        "`pause 2`",
        "The next `await` finds nothing to read, so request 2 suspends again, in the same step.",
    ),
    Wrong(
        "`event for request 1`",
        "The task runs to its next `await` first. The loop looks for events between two steps.",
    ),
    shows="resume 2\n 9  pause 2",
)

BLOCKING_SOCKET = Prediction(
    "blocking-socket",
    "The answer takes 0.3 s, and the heart beats each 0.01 s. How many beats meanwhile?",
    Wrong(
        "about 30",
        "`sock_recv` suspends when `sock.recv` says that it would block. A blocking socket never "
        "says so: it waits in the operating system.",
        belief="`loop.sock_*` makes any socket async",
    ),
    Wrong(
        "one: the loop runs once before it blocks",
        "There is no turn in between: connect, try and wait all happen in one step of this task.",
    ),
    Right(
        "none",
        "The loop tries `sock.recv` first, and on this socket that call waits, with the loop.",
    ),
    shows="blocking: 0 beats",
)

CALL_SOON_THREAD = Prediction(
    "call-soon-thread",
    "Another thread calls `loop.call_soon` after 0.05 s. When does the callback run?",
    Right(
        "after 0.4 s, when the loop's own timer wakes it",
        "The callback is in the ready queue. The loop does not look: it sleeps in the selector.",
    ),
    Wrong(
        "at once",
        "The other thread only appends to the ready queue. That does not wake a thread which "
        "sleeps in the operating system.",
        belief="`call_soon` works from any thread",
    ),
    Wrong(
        "never: the loop refuses it",
        "Debug mode refuses it. Without debug mode no check is made, because `call_soon` is "
        "called very often.",
    ),
    shows="call_soon: it ran while the loop slept: False",
)

CANCEL_THREAD = Prediction(
    "cancel-thread",
    "The task is cancelled while its thread reads. What is in the log at the end?",
    Wrong(
        "only `task cancelled`",
        "Nothing can stop a thread from outside. `cancel` ends the waiting for it.",
        belief="cancelling stops the thread",
    ),
    Right(
        "`task cancelled`, then `thread has read`",
        "The task ends at once, and the thread later. `aio.run` waits for it at the end.",
    ),
    Wrong(
        "`thread has read`, then `task cancelled`",
        "That would be so if the task waited for its thread. A task that is cancelled does not.",
    ),
    shows="['task cancelled', 'thread has read']",
)

"""Lesson 00: an exercise in ordinary Python, to see how exercises work."""

from ..checking.catalog import Exercise, Wrong
from ..checking.expect import same

REPLY = Exercise(
    name="first-reply",
    lesson="00",
    title="Turn a message round",
    lines=1,
    builds=("reply",),
    stub='''
def reply(message):
    """Return the bytes of the message in reverse order."""
    # about 1 line: b"Hello Server!\\n" gives b"\\n!revreS olleH"
    ...
''',
    solution='''
def reply(message):
    """Return the bytes of the message in reverse order."""
    return message[::-1]
''',
    hints=(
        "Bytes are a sequence, as a list is: they can be sliced.",
        "A slice has a start, an end and a step. A step of -1 goes backwards.",
        "Leave start and end out: `message[::-1]`. And `return` it.",
    ),
    wrong=(
        Wrong(change=("[::-1]", ""), says="The last byte comes first"),
        Wrong(change=("return message[::-1]", "print(message[::-1])"), says="returns its answer"),
        Wrong(change=("return message", "message"), says="`return` is missing"),
        Wrong(change=("message[::-1]", "reversed(message)"), says="Bytes are wanted"),
        Wrong(change=("message[::-1]", "str(message)[::-1]"), says="Bytes are wanted"),
        Wrong(
            change=("return message[::-1]", "message.reverse()\n    return message"),
            says="'bytes' object has no attribute 'reverse'",
        ),
        Wrong(change=("message[::-1]", "message.strip()[::-1]"), says="The last byte comes first"),
        Wrong(change=("message[::-1]", 'b"\\n!revreS olleH"'), says="every message"),
    ),
    right=(
        "def reply(message):\n    return bytes(reversed(message))\n",
        """
def reply(message):
    answer = b""
    for byte in message:
        answer = bytes([byte]) + answer
    return answer
""",
        """
def reply(message):
    answer = bytearray(message)
    answer.reverse()
    return bytes(answer)
""",
    ),
)


def _answer(cell, message):
    answer = cell.reply(message)
    if answer is None:
        same(answer, message[::-1], "`reply` returns its answer: `return` is missing.")
    if type(answer) is not bytes:
        same(answer, message[::-1], "Bytes are wanted, because a socket sends nothing else.")
    return answer


@REPLY.check("a message is turned round, its line end too")
def _(cell):
    message = b"Hello Server!\n"
    same(_answer(cell, message), message[::-1], "The last byte comes first, and so on.")


@REPLY.check("so is every other message")
def _(cell):
    for message in (b"abc", b"\x00\xff", b"x"):
        same(_answer(cell, message), message[::-1], "It must work for every message.")


@REPLY.check("an empty message stays empty")
def _(cell):
    same(_answer(cell, b""), b"", "An empty message has an empty answer.")

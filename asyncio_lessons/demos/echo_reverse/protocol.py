"""The echo-reverse protocol without a socket: bytes in, bytes out.

A message is the bytes up to and including a newline, or up to the end of the stream.
The reply is the same bytes reversed. A client may send as many messages as it likes.
"""

import io
import logging
from typing import Any

LIMIT = 16 * 1024 * 1024  # bytes a message may have
CHUNK = 64 * 1024  # bytes asked for by one `recv`

logger = logging.getLogger("asyncio_lessons.demos.echo_reverse")


class EchoReverse:
    """One client's side of the talk: give it what came, send what it returns.

    Args:
        limit: the longest message allowed, in bytes.
        client: the client's address, for the log.
    """

    def __init__(self, limit: int = LIMIT, client: Any = "a client") -> None:
        self.limit = limit
        self.client = client
        self.finished = False  # True: send the last replies, then close
        self._message = bytearray()  # the message that has begun and not yet ended

    def receive(self, data: bytes) -> bytes:
        """Take the next bytes of the stream (none: it has ended); return the replies to send."""
        self.finished = not data
        replies = []
        for piece in io.BytesIO(data):  # in lines: only the new bytes are searched for newlines
            self._message += piece
            if len(self._message) > self.limit:
                self._refuse()
                break
            if piece.endswith(b"\n"):
                replies.append(self._reply())
        if not data:
            replies.append(self._reply())
        return b"".join(replies)

    def _reply(self) -> bytearray:
        message, self._message = self._message, bytearray()
        message.reverse()  # in place: a message of 16 MiB is not copied
        return message

    def _refuse(self) -> None:
        logger.error("%s sent more than %d bytes in one message: closed", self.client, self.limit)
        self._message.clear()
        self.finished = True


def note_trouble(client: Any, trouble: Exception) -> None:
    """Log why a client is gone: quietly if it was the network, with a traceback if it was us."""
    if isinstance(trouble, OSError):
        logger.info("%s is gone: %s", client, trouble)
    else:
        logger.error("%s is gone", client, exc_info=trouble)

"""What a filmed program prints, and when."""

import contextlib
import sys
from threading import get_ident
from typing import Any


class Prints:
    """Notes what is printed, by a `write` set on ``sys.stdout``."""

    def __init__(self, recorder: Any) -> None:
        self._recorder, self._file = recorder, sys.stdout
        self._own = "write" in getattr(self._file, "__dict__", {})
        self._write = self._file.write
        with contextlib.suppress(AttributeError, TypeError):  # then prints are not in the film
            self._file.write = self.write

    def write(self, text: str) -> Any:
        recorder = self._recorder
        if not recorder.closed and get_ident() == recorder.thread:
            recorder.note_print(str(text))
        return self._write(text)

    def remove(self) -> None:
        with contextlib.suppress(AttributeError, TypeError):
            if self._own:
                self._file.write = self._write
            else:
                del self._file.write

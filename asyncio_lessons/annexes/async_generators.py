"""Asynchronous generators: one that is dropped half-way is closed by its loop."""

import sys
from typing import Any
from weakref import WeakKeyDictionary


class GeneratorLoop:
    """A loop that closes the asynchronous generators that began on it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._asyncgens: WeakKeyDictionary = WeakKeyDictionary()  # oldest first

    def run_forever(self) -> None:
        """Turn until `stop` is called. Raises RuntimeError if a loop runs in this thread."""
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(self._asyncgens.setdefault, self._close_asyncgen)
        try:
            super().run_forever()
        finally:
            sys.set_asyncgen_hooks(*hooks)

    def _close_asyncgen(self, agen: Any) -> None:
        # Called when it is collected: it may have a `finally` that awaits.
        if not self._closed:
            self.call_soon(self.create_task, agen.aclose())

    async def shutdown_asyncgens(self) -> None:
        """Close the asynchronous generators that are still open."""
        from ..waiting import gather  # made of this module, in part

        agens = list(self._asyncgens)
        self._asyncgens.clear()
        closing = [agen.aclose() for agen in agens]
        for agen, error in zip(agens, await gather(*closing, return_exceptions=True), strict=True):
            if isinstance(error, Exception):
                message = f"an error occurred during closing of asynchronous generator {agen!r}"
                details = {"message": message, "exception": error, "asyncgen": agen}
                self.call_exception_handler(details)

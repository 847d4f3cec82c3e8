"""Asynchronous generators: one that is dropped half-way is closed by its loop."""

import sys
from typing import Any
from weakref import WeakSet


class GeneratorLoop:
    """A loop that closes the asynchronous generators that began on it."""

    def __init__(self, *args: Any, **options: Any) -> None:
        super().__init__(*args, **options)
        self._asyncgens: WeakSet = WeakSet()

    def run_forever(self) -> None:
        """Turn until `stop` is called. Raises RuntimeError if a loop runs in this thread."""
        hooks = sys.get_asyncgen_hooks()
        sys.set_asyncgen_hooks(self._asyncgens.add, self._close_asyncgen)
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
        for agen in list(self._asyncgens):
            try:
                await agen.aclose()
            except Exception as error:
                message = f"an error occurred during closing of asynchronous generator {agen!r}"
                details = {"message": message, "exception": error, "asyncgen": agen}
                self.call_exception_handler(details)

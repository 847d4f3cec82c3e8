"""Two plain functions that call `asyncio.run` inside a running loop, by `nest_asyncio`."""

import asyncio
import sys
import time


def wait(name: str, seconds: float) -> None:
    """Run a loop inside the running one for so many seconds, and say when it has returned."""
    start = time.monotonic()
    asyncio.run(asyncio.sleep(seconds))
    print(name, "is back; at least 0.5 s have passed:", time.monotonic() - start >= 0.5)


async def main() -> None:
    """Call `wait` twice from the loop: A for 0.1 s, B for 0.5 s."""
    loop = asyncio.get_running_loop()
    loop.call_soon(wait, "A", 0.1)
    loop.call_soon(wait, "B", 0.5)
    await asyncio.sleep(0.7)


if __name__ == "__main__":
    if sys.version_info < (3, 14):
        import nest_asyncio
    else:
        import nest_asyncio2 as nest_asyncio
    before = asyncio.run
    nest_asyncio.apply()
    asyncio.run(main())
    print("asyncio.run is what it was:", asyncio.run is before)

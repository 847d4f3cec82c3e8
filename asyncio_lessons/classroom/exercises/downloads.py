"""Lesson 10, at work: fifty downloads, at most five at a time, with timeouts and retries."""

from heapq import heapreplace

from ..checking.catalog import Exercise, Wrong
from ..checking.expect import Refused, holds, same
from ..checking.stage import play

DOWNLOADS = Exercise(
    name="polite-downloads",
    lesson="10",
    title="Fifty downloads: five at a time, two seconds an attempt, four attempts",
    lines=15,
    builds=("attempt", "fetch", "download"),
    stub='''
async def attempt(url, get, places):
    """Return `await get(url)`: five attempts at a time, and each has 2 seconds once it begins."""
    # about 3 lines
    ...

async def fetch(url, get, places):
    """Return the page, or the last error: attempt it 4 times, with pauses of 1, 2 and 4 seconds."""
    # about 7 lines: OSError (TimeoutError is one) is worth another attempt, any other error is not
    ...

async def download(urls, get):
    """Return {url: page or error}, in the order of `urls`; fetch all of them at the same time."""
    # about 3 lines: the tasks share `places`
    ...
''',
    solution='''
async def attempt(url, get, places):
    """Return `await get(url)`: five attempts at a time, and each has 2 seconds once it begins."""
    async with places:
        async with aio.timeout(2):
            return await get(url)

async def fetch(url, get, places):
    """Return the page, or the last error: attempt it 4 times, with pauses of 1, 2 and 4 seconds."""
    for pause in (1, 2, 4, None):
        try:
            return await attempt(url, get, places)
        except Exception as error:
            if pause is None or not isinstance(error, OSError):
                return error
        await aio.sleep(pause)

async def download(urls, get):
    """Return {url: page or error}, in the order of `urls`; fetch all of them at the same time."""
    places = aio.Semaphore(5)
    pages = await aio.gather(*(fetch(url, get, places) for url in urls))
    return dict(zip(urls, pages))
''',
    hints=(
        "Which of the three waits must happen in one of the five places: for the page, for the "
        "pause, or for the place itself?",
        "`places` is a semaphore of 5. Take a place, then begin the 2 seconds, then await the "
        "page. The pause comes after both blocks, where the place is free again.",
        "In `fetch`, `except Exception as error` leaves CancelledError alone. Return the error "
        "after the fourth attempt, or if it is no OSError.",
    ),
    wrong=(
        Wrong(
            """
async def attempt(url, get, places):
    async with aio.timeout(2):
        return await get(url)
""",
            "at the same time: at most 5",
        ),
        Wrong(change=("aio.Semaphore(5)", "aio.Semaphore(6)"), says="at the same time: at most 5"),
        Wrong(
            """
async def download(urls, get):
    places = aio.Semaphore(5)
    return {url: await fetch(url, get, places) for url in urls}
""",
            "one after the other",
        ),
        Wrong(
            """
async def download(urls, get):
    places, pages = aio.Semaphore(5), []
    for at in range(0, len(urls), 5):
        pages += await aio.gather(*(fetch(url, get, places) for url in urls[at:at + 5]))
    return dict(zip(urls, pages))
""",
            "the slowest of its five",
        ),
        Wrong(
            """
async def attempt(url, get, places):
    async with aio.timeout(2):
        async with places:
            return await get(url)
""",
            "The 2 seconds begin when the attempt has its place",
        ),
        Wrong(
            """
async def attempt(url, get, places):
    async with places:
        return await get(url)
""",
            "gets 2 seconds",
        ),
        Wrong(change=("        await aio.sleep(pause)\n", ""), says="grow: 1, 2 and 4 seconds"),
        Wrong(change=("(1, 2, 4, None)", "(1, 1, 1, None)"), says="grow: 1, 2 and 4 seconds"),
        Wrong(change=("(1, 2, 4, None)", "(1, 2, 4, 8, None)"), says="four attempts"),
        Wrong(
            """
async def attempt(url, get, places):
    async with aio.timeout(2):
        return await get(url)

async def download(urls, get):
    places = aio.Semaphore(5)
    async def one(url):
        async with places:
            return await fetch(url, get, places)
    pages = await aio.gather(*(one(url) for url in urls))
    return dict(zip(urls, pages))
""",
            "keeps its place",
        ),
        Wrong(
            """
async def fetch(url, get, places):
    for pause in (1, 2, 4):
        try:
            return await attempt(url, get, places)
        except OSError:
            await aio.sleep(pause)
    return await attempt(url, get, places)
""",
            "is a result, too",
        ),
        Wrong(
            change=("if pause is None or not isinstance(error, OSError)", "if pause is None"),
            says="is not worth another attempt",
        ),
        Wrong(
            """
async def fetch(url, get, places):
    for pause in (1, 2, 4, None):
        try:
            return await attempt(url, get, places)
        except BaseException as error:
            if pause is None or isinstance(error, ValueError):
                return error
        await aio.sleep(pause)
""",
            "was cancelled",
        ),
        Wrong(
            """
async def download(urls, get):
    places, pages = aio.Semaphore(5), {}
    async def one(url):
        pages[url] = await fetch(url, get, places)
    await aio.gather(*map(one, urls))
    return pages
""",
            "in the order of `urls`",
        ),
    ),
    right=(
        """
async def attempt(url, get, places):
    await places.acquire()
    try:
        return await aio.wait_for(get(url), 2)
    finally:
        places.release()
""",
        """
async def download(urls, get):
    places = aio.Semaphore(5)
    async with aio.TaskGroup() as group:
        tasks = {url: group.create_task(fetch(url, get, places)) for url in urls}
    return {url: task.result() for url, task in tasks.items()}
""",
        """
async def fetch(url, get, places, pause=1):
    try:
        return await attempt(url, get, places)
    except OSError as error:
        if pause > 4:
            return error
    except Exception as error:
        return error
    await aio.sleep(pause)
    return await fetch(url, get, places, 2 * pause)
""",
        """
async def attempt(url, get, places):
    place = await places.get()
    try:
        async with aio.timeout(2):
            return await get(url)
    finally:
        places.put_nowait(place)

async def download(urls, get):
    places, pages = aio.Queue(), dict.fromkeys(urls)
    for place in range(5):
        places.put_nowait(place)
    async def one(url):
        pages[url] = await fetch(url, get, places)
    await aio.gather(*map(one, urls))
    return pages
""",
    ),
)

_URLS = [f"/page/{number}" for number in range(50)]
_FOREVER = 10_000  # seconds
_RESULT_TOO = "The last error of a page is a result, too: return it, so that no page is lost."


class _Site:
    """A site whose pages take some seconds, or fail; it notes when each attempt begins."""

    def __init__(self, aio, loop, seconds=None, failures=None):
        self.aio = aio
        self.loop = loop
        self.seconds = seconds or {}
        self.failures = failures or {}  # what the first attempts at a page raise
        self.begun = {}  # url: the times of its attempts
        self.ended = {}
        self.open = self.most = 0

    async def get(self, url):
        self.begun.setdefault(url, []).append(self.loop.time())
        self.open += 1
        self.most = max(self.most, self.open)
        failures = self.failures.get(url, [])
        try:
            await self.aio.sleep(failures[0] if _is_wait(failures) else self.seconds.get(url, 0))
            if failures and not _is_wait(failures):
                raise failures[0]
            return f"page of {url}"
        finally:
            self.failures[url] = failures[1:]
            self.open -= 1
            self.ended.setdefault(url, []).append(self.loop.time())


def _is_wait(failures):
    return bool(failures) and isinstance(failures[0], int)


def _download(cell, urls, seconds=None, failures=None):
    """Return what `download` returns, the site, and the time it took."""
    held, failures = {}, failures or {}
    raised = [failure for each in failures.values() for failure in each]

    async def main(loop):
        site = held["site"] = _Site(cell.aio, loop, seconds, failures)
        held["pages"] = await cell.download(urls, site.get)
        held["took"] = round(loop.time(), 6)

    try:
        play(cell.aio, main)
    except Exception as error:
        if not {error, *getattr(error, "exceptions", ())} & {*raised}:
            raise
        raise Refused(_RESULT_TOO, f"raised {type(error).__name__}", "returned") from None
    return held["pages"], held["site"], held["took"]


def _took(seconds):
    """Return how long it takes if a free one of five places takes the next page at once."""
    free = [0.0] * 5
    for each in seconds:
        heapreplace(free, free[0] + each)
    return max(free)


@DOWNLOADS.check("fifty pages come, at most five at a time")
def _(cell):
    pages, site, took = _download(cell, _URLS, dict.fromkeys(_URLS, 0.1))
    sentence = f"{site.most} attempts ran at the same time: at most 5, in one of the `places`."
    holds(site.most <= 5, sentence, f"{site.most} at a time", "5 at a time")
    holds(site.most == 5, "The pages are fetched one after the other: five may run at once.")
    same(took, 1.0, "Fifty pages of 0.1 seconds, five at a time, take 1 second.")
    same(pages, {url: f"page of {url}" for url in _URLS}, "Return {url: page}.")


@DOWNLOADS.check("a place that is free takes the next page, and the pages keep their order")
def _(cell):
    seconds = {url: (number * 7 % 16 + 2) / 100 for number, url in enumerate(_URLS)}
    pages, _, took = _download(cell, _URLS, seconds)
    sentence = "A place that is free waits for the slowest of its five: let it take the next page."
    same(took, round(_took(seconds.values()), 6), sentence)
    same(list(pages), _URLS, "The pages stand in the order of `urls`, not as they came.")


@DOWNLOADS.check("each attempt gets 2 seconds, which begin when it has its place")
def _(cell):
    urls = _URLS[:20]
    pages, site, took = _download(cell, urls, dict.fromkeys(urls, 1.5))
    sentence = "The 2 seconds begin when the attempt has its place: take the place first."
    holds(all(len(times) == 1 for times in site.begun.values()) and took == 6, sentence)
    same(pages, {url: f"page of {url}" for url in urls}, sentence)
    url = urls[0]
    pages, site, took = _download(cell, [url], failures={url: [_FOREVER]})
    sentence = "An attempt gets 2 seconds, and is then given up: use a timeout around `get`."
    same(site.ended[url][0], 2.0, sentence)
    same(pages, {url: f"page of {url}"}, "The second attempt has the page.")


@DOWNLOADS.check("what fails is attempted four times, with growing pauses")
def _(cell):
    url = _URLS[0]
    for count in (1, 2, 3):
        pages, _, _ = _download(cell, [url], failures={url: [OSError(n) for n in range(count)]})
        same(pages, {url: f"page of {url}"}, f"Attempt {count + 1} has the page: four attempts.")
    errors = [ConnectionResetError(number) for number in range(6)]
    pages, site, took = _download(cell, [url], failures={url: errors[:]})
    times = site.begun[url]
    same(times[:4], [0.0, 1.0, 3.0, 7.0], "The pauses grow: 1, 2 and 4 seconds.")
    same(len(times), 4, "A page gets four attempts.")
    holds(pages.get(url) is errors[3], "The error of the fourth attempt is the result.")
    same(took, 7.0, "After the fourth attempt there is no pause.")


@DOWNLOADS.check("one page that fails does not lose the others")
def _(cell):
    bad, mistaken, *good = _URLS[:10]
    failures = {bad: [OSError(f"{bad} is down")] * 4, mistaken: [ValueError("no such page")] * 4}
    pages, site, _ = _download(cell, [bad, mistaken, *good], failures=failures)
    same([pages[url] for url in good], [f"page of {url}" for url in good], "Keep the other pages.")
    sentence = "An error that is no OSError is not worth another attempt: it is the result."
    same(len(site.begun[mistaken]), 1, sentence)
    same(type(pages[mistaken]), ValueError, sentence)
    same(type(pages[bad]), OSError, "The last error of a page is its result.")


@DOWNLOADS.check("a page that waits for its next attempt leaves its place to others")
def _(cell):
    urls = _URLS[:6]
    failures = {url: [OSError("try later")] for url in urls[:5]}
    _, site, _ = _download(cell, urls, failures=failures)
    sentence = "A page keeps its place during its pause: leave the place, and then sleep."
    same(site.begun[urls[5]], [0.0], sentence)


@DOWNLOADS.check("a download that is cancelled ends at once, and leaves nothing behind")
def _(cell):
    aio, held = cell.aio, {}

    async def main(loop):
        site = _Site(aio, loop, dict.fromkeys(_URLS, 1), {_URLS[0]: [OSError("try later")]})
        task = loop.create_task(cell.download(_URLS, site.get))
        await aio.sleep(1.5)
        before = sum(map(len, site.begun.values()))
        task.cancel()
        await aio.wait([task])
        held["cancelled"], held["at"] = task.cancelled(), loop.time()
        held["more"] = sum(map(len, site.begun.values())) - before
        held["left"] = len(aio.all_tasks(loop)) - 1

    play(aio, main)
    sentence = "The download was cancelled at 1.5 s: let CancelledError pass, and begin no more."
    holds(held["cancelled"] and held["at"] == 1.5 and not held["more"], sentence)
    same(held["left"], 0, "Tasks are left after the download was cancelled.")

"""The player without a browser: what its page holds, what its text says, and how it is called."""

from __future__ import annotations

import asyncio
import json
import linecache
import re
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

import asyncio_lessons as aio
from asyncio_lessons.classroom import Player, film, film_generator, record, work
from asyncio_lessons.classroom.player import lean, page, words
from asyncio_lessons.demos.worker_queue import program


async def sleepers() -> str:
    async def sleeper(seconds: float) -> None:
        await aio.sleep(seconds)
        work(0.25)

    await aio.gather(*(aio.create_task(sleeper(n / 10), name=f"s{n}") for n in (1, 2)))
    return "<slept & done>"


@pytest.fixture(scope="module")
def player() -> Player:
    return film(sleepers(), virtual=True, title="The claim", note="The proof")


# -- the page -------------------------------------------------------------------------------------


def test_script_and_style_are_small() -> None:
    assert len((page.script() + page.style()).encode()) <= 25_000


def test_a_lessons_film_is_small() -> None:
    workers = film(program(aio, work), virtual=True)
    assert len(workers.film.steps) > 120
    assert len(workers.html(picture=False).encode()) <= 60_000
    assert len(workers.html().encode()) <= 200_000


def test_the_page_needs_nothing_else(player: Player) -> None:
    html = player.page()
    assert not re.findall(r"(?:src|href)=[\"'](?!data:)[^\"']+", html)
    assert not re.findall(r"https?://(?!www\.w3\.org/2000/svg)", html)
    assert "fetch(" not in page.script() and "XMLHttpRequest" not in page.script()


def test_cells_of_a_notebook_are_told_apart() -> None:
    """Each cell begins at line 1, and all are called "cell"."""
    cells = ["async def inner():\n    await aio.sleep(1)", "async def outer():\n    await inner()"]
    names: dict[str, Any] = {"aio": aio}
    for number, text in enumerate(cells):
        file = f"/var/ipykernel_7/{number}.py"
        linecache.cache[file] = (len(text), None, text.splitlines(keepends=True), file)
        exec(compile(text, file, "exec"), names)
    sources = film(names["outer"](), virtual=True).film.sources
    own = [(text.splitlines(), 1) for text in cells]
    held = [each for name, each in page.Pages(sources).pages if name == "cell"]
    assert sorted(map(str, held)) == sorted(str([[first, text]]) for text, first in own)


def test_the_same_film_gives_the_same_page(player: Player) -> None:
    again = film(sleepers(), virtual=True, title="The claim", note="The proof")
    assert again.html() == player.html() and str(again) == str(player)


def test_what_the_program_says_cannot_end_the_script() -> None:
    async def main() -> None:
        print("</script><script>alert(1)</script><!-- \u2028")

    html = film(main(), virtual=True).html(picture=False)
    assert html.count("<script") == html.count("</script") == 1
    assert "<!--" not in html and "\u2028" not in html


def test_a_large_film_is_packed(monkeypatch: pytest.MonkeyPatch) -> None:
    small = film(sleepers(), virtual=True).html(picture=False)
    monkeypatch.setattr(page, "PACKED_ABOVE", 0)
    packed = film(sleepers(), virtual=True).html(picture=False)
    assert "sleeper" in small and "sleeper" not in packed


def test_lean_keeps_what_a_script_means() -> None:
    source = """
    // a comment with "quotes" and `ticks`
    const said = "// no comment  here"; /* nor
    this */
    const pattern = [/ ( |a) \\/ [/"] /g, 1 / 2, said];
    const both = (said, other = 1) => `${said + other} said  ${both}`;
    return { label: both, x: a + +said, };
    """
    assert lean.script(source) == (
        'const b="// no comment  here";const e=[/ ( |a) \\/ [/"] /g,1/2,b];'
        "const c=(b,d=1)=>`${b + d} said  ${c}`;return{label:c,x:a+ +b};"
    )


# -- the text -------------------------------------------------------------------------------------


def test_the_text_lists_the_steps(player: Player) -> None:
    lines = str(player).splitlines()
    assert lines[0] == f"The claim: {len(player.film.steps) - 1} steps"
    assert lines[1] == "   0  Nothing has run yet: no task, no timer, and the ready queue is empty."
    assert lines[-1].endswith("The program is over.")
    assert len(lines) <= page.MOST_LINES and any("more steps" in line for line in lines)
    assert player._repr_mimebundle_()["text/plain"] == str(player)


def test_the_text_of_real_time_is_stable() -> None:
    texts = {str(film(sleepers(), title="Real")) for _ in range(2)}
    assert texts == {"Real\non lessons, in real time: main, s1, s2"}


def test_every_step_has_one_sentence(player: Player) -> None:
    said = player.sentences
    assert len(said) == len(player.film.steps)
    for sentence in said:
        assert sentence.endswith(".") and sentence == " ".join(sentence.split())
        assert "{" not in sentence.replace("{n", "") and "`" not in sentence


@pytest.mark.parametrize("loop", ["lessons", "asyncio"])
def test_the_sentences_say_who_did_what(loop: str) -> None:
    library: Any = aio if loop == "lessons" else asyncio

    async def waiter(future: Any) -> int:
        return await future

    async def busy() -> None:
        work(0.03)

    async def main() -> None:
        future = library.get_running_loop().create_future()
        first = library.create_task(waiter(future), name="first")
        second = library.create_task(waiter(first), name="second")
        third = library.create_task(library.sleep(10), name="third")
        library.create_task(library.sleep(0.01), name="late")
        await library.sleep(0)
        library.create_task(busy(), name="busy")
        await library.sleep(0)
        future.set_result(7)
        await second
        third.cancel()
        try:
            await third
        except library.CancelledError:
            raise ValueError("no {1} `bread`") from None

    said = film(main(), loop=loop, virtual=True).sentences
    text = "\n".join(said)
    assert re.search(r"main creates first at line \d+, first = library.create_task\(", text)
    assert "first was first in the ready queue: the loop starts it." in said
    assert re.search(r"main wakes first at line \d+, future.set_result\(7\)", text)
    assert "first is done and returns 7." in said
    assert "first has ended, and second waits for that: second joins the end of" in text
    assert "late because busy was running" in text
    assert "CancelledError leaves the coroutine of third: the task is cancelled." in said
    assert "ValueError: no {1} ˋbreadˋ leaves the coroutine of main: the task has failed." in said
    assert said[-1] == "The program is over: it raised ValueError: no {1} ˋbreadˋ."


@pytest.mark.parametrize(
    ("length", "text"),
    [(0, "0 s"), (0.3, "300 ms"), (1.25, "1.25 s"), (2e-5, "20 µs"), (1e-9, "0 µs"), (90, "90 s")],
)
def test_lengths_of_time(length: float, text: str) -> None:
    assert words.seconds(length) == text


# -- how it is called -----------------------------------------------------------------------------


def listen() -> Any:
    answer = yield "who is there?"
    print("received", answer)
    return "all said"


def delegate() -> Any:
    return (yield from listen())


def test_the_sentences_of_a_generator_say_who_calls() -> None:
    talk = film_generator(delegate())
    next(talk)
    with pytest.raises(StopIteration):
        talk.send("oh hi")
    shown = film(talk).sentences
    assert shown[0] == "Nothing has run yet."
    assert re.fullmatch(r"delegate is created at line \d+, .*: none of its code has run.", shown[1])
    assert re.fullmatch(r"The code outside calls next\(\) at .*: delegate starts.", shown[2])
    assert re.fullmatch(r"delegate yields 'who is there\?' and is suspended .*", shown[3])
    assert "calls send('oh hi')" in shown[4] and "resumes where it was suspended." in shown[4]
    assert shown[5:] == ["delegate is finished and returns 'all said'.", "The film ends here."]
    assert "paused" not in page.script() + page.style()


def test_a_coroutine_that_fails_still_gives_its_film() -> None:
    async def main() -> None:
        raise ValueError("boom")

    failed = film(main(), virtual=True)
    assert repr(failed.film.error) == "ValueError('boom')"
    assert failed.sentences[-1] == "The program is over: it raised ValueError: boom."


def test_errors_say_what_to_write_instead(player: Player, tmp_path: Path) -> None:
    with pytest.raises(TypeError, match=r"needs a coroutine, such as main\(\), or a film; got 3"):
        film(3)
    with pytest.raises(ValueError, match="details=True"):
        film(record(sleepers(), virtual=True))
    with pytest.raises(ValueError, match=r"must end in \.html; got 'film.png'"):
        player.save("film.png")
    player.save(tmp_path / "film.html")
    assert (tmp_path / "film.html").read_text(encoding="utf-8") == player.page()


# -- python -m asyncio_lessons.film ---------------------------------------------------------------

PROGRAM = """
import asyncio, sys

async def child(n):
    await asyncio.sleep(n)
    print("woke", n, *sys.argv[1:])

async def main():
    async with asyncio.TaskGroup() as group:
        for n in (3600, 7200):
            group.create_task(child(n), name=f"child {n}")
    MORE

if __name__ == "__main__":
    START
"""
STARTS = {
    "lessons": "asyncio.run(main())",
    "run": "asyncio.run(main())",
    "runner": "with asyncio.Runner() as runner: runner.run(main())",
    "loop": "loop = asyncio.new_event_loop(); loop.run_until_complete(main()); loop.close()",
}


def filmed(folder: Path, *arguments: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-W", "error", "-m", "asyncio_lessons.film", *arguments]
    return subprocess.run(command, cwd=folder, capture_output=True, text=True, timeout=60)


def write_program(folder: Path, start: str = "run", more: str = "pass") -> None:
    text = PROGRAM.replace("MORE", more).replace("START", STARTS.get(start, start))
    if start == "lessons":
        text = text.replace("import asyncio, sys", "import sys, asyncio_lessons as asyncio")
    (folder / "prog.py").write_text(text)


@pytest.mark.parametrize("start", STARTS)
def test_a_program_is_filmed_as_it_is(start: str, tmp_path: Path) -> None:
    write_program(tmp_path, start)
    done = filmed(tmp_path, "--virtual", "prog.py", "-o", "film.html", "x", "--", "-o", "y")
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.splitlines()[:2] == ["woke 3600 x -o y", "woke 7200 x -o y"]
    assert re.fullmatch(r"film: wrote film.html: \d+ steps of 3 tasks", done.stdout.splitlines()[2])
    html = (tmp_path / "film.html").read_text(encoding="utf-8")
    assert html.count("<div data-player>") == 1 and "child 7200" in html
    assert "async with asyncio.TaskGroup() as group:" in html


def test_a_module_is_filmed_and_traced_in_real_time(tmp_path: Path) -> None:
    write_program(tmp_path)
    text = (tmp_path / "prog.py").read_text().replace("(3600, 7200)", "(0.01, 0.02)")
    (tmp_path / "prog.py").write_text(text)
    done = filmed(tmp_path, "--perfetto", "trace.json", "-m", "prog", "x")
    assert (done.returncode, done.stderr) == (0, "")
    assert "woke 0.02 x" in done.stdout and "https://ui.perfetto.dev" in done.stdout
    events = json.loads((tmp_path / "trace.json").read_text())["traceEvents"]
    assert {"main", "child 0.01", "child 0.02"} <= {
        e["args"].get("name") for e in events if "args" in e
    }


def test_a_program_that_fails_still_gives_its_film(tmp_path: Path) -> None:
    write_program(tmp_path, more="raise ValueError('boom')")
    done = filmed(tmp_path, "--virtual", "prog.py", "-o", "film.html")
    assert done.returncode == 1
    assert done.stderr.splitlines()[-1] == "ValueError: boom"
    assert "asyncio_lessons" not in done.stderr and "runpy" not in done.stderr
    assert "it raised `ValueError: boom`" in (tmp_path / "film.html").read_text(encoding="utf-8")
    write_program(tmp_path, start="asyncio.run(main()); sys.exit(3)")
    assert filmed(tmp_path, "--virtual", "prog.py", "-o", "film.html").returncode == 3


def test_uvloop_is_filmed(tmp_path: Path) -> None:
    pytest.importorskip("uvloop")
    write_program(tmp_path, start="import uvloop; uvloop.run(main())")
    text = (tmp_path / "prog.py").read_text().replace("(3600, 7200)", "(0.01, 0.02)")
    (tmp_path / "prog.py").write_text(text)
    done = filmed(tmp_path, "prog.py", "-o", "film.html")
    assert (done.returncode, done.stderr) == (0, "")
    assert "of 3 tasks" in done.stdout


@pytest.mark.parametrize(
    ("arguments", "sentence"),
    [
        ((), "which program? Write its file, or -m and its module"),
        (("none.py",), "there is no file none.py"),
        (("prog.py", "-o", "film.png"), "the page's file must end in .html; got film.png"),
        (("prog.py", "-o", "no/film.html"), "there is no folder"),
        (("--speed", "prog.py"), "unrecognized arguments: --speed"),
        (("-m", "no_such_module"), "No module named no_such_module"),
        (("empty.py",), "empty.py started no event loop, so there is nothing to show"),
    ],
)
def test_what_is_wrong_is_said_in_a_sentence(
    arguments: tuple, sentence: str, tmp_path: Path
) -> None:
    write_program(tmp_path)
    (tmp_path / "empty.py").write_text("pass\n")
    done = filmed(tmp_path, *arguments)
    assert done.returncode and sentence in done.stderr and "Traceback" not in done.stderr
    assert not list(tmp_path.glob("*.html"))

"""The timeline: what is drawn, how it reads, and that the same film gives the same bytes."""

from __future__ import annotations

import html
import io
import itertools
import os
import subprocess
import sys
from pathlib import Path
from typing import Any
from xml.etree import ElementTree

import pytest
from PIL import Image
from sight import smallest_distance

import asyncio_lessons as aio
from asyncio_lessons.classroom import Film, draw, measure, record, work
from asyncio_lessons.classroom.pictures.canvas import (
    DARK,
    LIGHT,
    THEMES,
    WIDTH,
    mix,
)
from asyncio_lessons.classroom.pictures.layout import HALF, RIGHT, STEMS_APART
from asyncio_lessons.classroom.pictures.scale import THIN
from asyncio_lessons.classroom.pictures.words import shortened, text_width

JOBS = {1: 0.2, 2: 0.2, 3: 0.13, 4: 0.28, 5: 0.17, 6: 0.21, 7: 0.13, 8: 0.24, 9: 0.147, 10: 0.17}


async def download(n: int) -> None:
    await aio.sleep(JOBS[n])
    work(0.04)


async def worker(jobs: Any) -> None:
    while True:
        n = await jobs.get()
        await download(n)
        jobs.task_done()


async def main() -> None:
    jobs = aio.Queue()
    workers = [aio.create_task(worker(jobs), name=f"worker {i}") for i in (1, 2, 3)]
    for n in range(1, 6):
        jobs.put_nowait(n)
    for n, pause in enumerate((0.37, 0.124, 0.06, 0.14, 0.06), 6):
        await aio.sleep(pause)
        jobs.put_nowait(n)
    await jobs.join()
    for task in workers:
        task.cancel()
    await aio.gather(*workers, return_exceptions=True)


@pytest.fixture(scope="module")
def film() -> Film:
    return record(main(), virtual=True)


def image(picture: Any, **options: Any) -> Image.Image:
    return Image.open(io.BytesIO(picture.png(**options))).convert("RGB")


def colors(picture: Any, box: tuple[float, float, float, float] | None = None) -> set[str]:
    """Return the colours in a box given in points."""
    pixels = image(picture, dpi=144)
    if box is not None:
        pixels = pixels.crop(tuple(round(2 * side) for side in box))
    return {"#{:02x}{:02x}{:02x}".format(*color) for _, color in pixels.getcolors(1 << 20)}


# -- the loop runs one thing at a time ------------------------------------------------------------


async def busy() -> None:
    async def steps(n: int) -> None:
        for _ in range(n):
            await aio.sleep(0)
            work(0.0003)

    async with aio.TaskGroup() as group:
        for n in range(9):
            group.create_task(steps(n), name=f"client {n}")


@pytest.mark.parametrize("program", [main, busy])
@pytest.mark.parametrize("virtual", [True, False])
def test_no_two_dark_pieces_share_an_x(program: Any, virtual: bool) -> None:
    if program is main and not virtual:
        pytest.skip("takes a second")
    panel = draw(record(program(), virtual=virtual)).layout.panels[0]
    pieces = sorted((piece.x0, piece.x1) for piece in panel.pieces)
    crowd = THIN  # more steps than fit at an instant may overlap by so much
    for (_, end), (start, _) in itertools.pairwise(pieces):
        assert start >= end - 1e-9 or end - start <= crowd
    assert all(x1 - x0 >= THIN - 1e-9 for x0, x1 in pieces)
    total = sum(len(lane.pieces) for lane in panel.lanes)
    of_tasks = [piece for piece in panel.pieces if piece.lane is not None]
    assert total == len(of_tasks)  # the strip is the projection of the lanes


def test_pieces_of_the_workers_never_overlap(film: Film) -> None:
    pieces = sorted((p.x0, p.x1) for p in draw(film).layout.panels[0].pieces)
    assert all(a[1] <= b[0] + 1e-9 for a, b in itertools.pairwise(pieces))


def test_hue_is_the_task_and_depth_the_state(film: Film) -> None:
    picture = draw(film)
    lanes = picture.layout.panels[0].lanes
    assert [lane.name for lane in lanes] == ["main", "worker 1", "worker 2", "worker 3"]
    assert [lane.hue for lane in lanes] == [0, 1, 2, 3]
    for lane in lanes[1:]:
        top, bottom = lane.y - HALF + 2, lane.y + HALF - 2
        long = max(lane.pieces, key=lambda piece: piece.x1 - piece.x0)
        assert LIGHT[lane.hue] in colors(picture, (long.x0 + 1, top, long.x1 - 2, bottom))
        x0, x1, _ = max(lane.waits, key=lambda wait: wait[1] - wait[0])
        edge_of_lane = colors(picture, (x1 - 40, lane.y - HALF, x1 - 30, lane.y - HALF + 3))
        assert LIGHT[lane.hue] not in edge_of_lane and "#ffffff" in edge_of_lane
        middle = colors(picture, (x1 - 12, lane.y - 2, x1 - 8, lane.y + 2))
        assert mix(LIGHT[lane.hue], "#ffffff", 0.16) in middle
    assert lanes[1].readies[1] == pytest.approx((picture.layout.x(0.2), lanes[1].pieces[1].x0))


def test_stems_one_for_a_waker_and_instant(film: Film) -> None:
    panel = draw(film).layout.panels[0]
    start, *others = panel.stems
    assert start.first and start.waker.name == "main"
    assert [lane.name for lane in start.woken] == ["worker 1", "worker 2", "worker 3"]
    assert not any(stem.first for stem in others)
    cancel = [stem for stem in others if len(stem.woken) == 3]
    assert [stem.waker.name for stem in cancel] == ["main"]
    places = [stem.x for stem in panel.stems]
    assert all(b - a >= STEMS_APART - 1e-9 for a, b in itertools.pairwise(places))
    assert max(places) < RIGHT + 6


def test_timers_are_marked_where_they_woke(film: Film) -> None:
    layout = draw(film).layout
    lane = layout.panels[0].lanes[3]
    assert {kind for _, kind in lane.marks} == {"timer"}
    assert lane.marks[0][0] == pytest.approx(layout.x(0.13))


def test_the_words_and_shares(film: Film) -> None:
    panel = draw(film).layout.panels[0]
    assert [text for _, _, text in panel.lanes[3].waits][:2] == ["download(3)", "download(4)"]
    assert panel.busy == pytest.approx(10 * 0.04 / film.duration)
    assert panel.lanes[3].ran == pytest.approx(3 * 0.04 / film.duration)
    assert [dict(lane.ends) for lane in panel.lanes] == [{"done": 1}] + [{"cancelled": 1}] * 3


def test_the_legend_names_only_what_occurs(film: Film) -> None:
    keys = [key for row in draw(film).layout.legend for key, _ in row]
    assert keys == "running ready waiting wakes starts timer done cancelled moment".split()

    async def nothing() -> None:
        pass

    keys = [key for row in draw(record(nothing())).layout.legend for key, _ in row]
    assert set(keys) <= {"running", "ready", "done"}


# -- palette --------------------------------------------------------------------------------------


def test_everybody_can_tell_the_hues_apart() -> None:
    assert smallest_distance(LIGHT[:5]) >= 18
    assert smallest_distance(LIGHT) >= 12.6
    assert smallest_distance(DARK[:5]) >= 15.4
    assert smallest_distance(DARK) >= 13.2


@pytest.mark.parametrize("name", ["light", "dark"])
def test_the_ground_is_explicit_and_every_hue_is_drawn(film: Film, name: str) -> None:
    picture = draw(film, theme=name)
    theme = THEMES[name]
    drawn = colors(picture)
    assert image(picture).getpixel((0, 0)) == tuple(bytes.fromhex(theme.face[1:]))
    assert {theme.face, theme.idle, *theme.hues[:4]} <= drawn


# -- many, few, long, strange ---------------------------------------------------------------------


async def crowd(n: int, each: Any = aio.sleep) -> None:
    async with aio.TaskGroup() as group:
        for i in range(n):
            group.create_task(each(0.01 * (i % 7)), name=f"client {i}")


def test_above_forty_lanes_tasks_fold_by_name() -> None:
    folded = draw(record(crowd(50), virtual=True)).layout.panels[0]
    assert [lane.name for lane in folded.lanes] == ["crowd", "client ×50"]
    assert folded.strip is not None and len(folded.pieces) == 2 + 100
    assert folded.lanes[1].ends == {"done": 50}
    unfolded = draw(record(crowd(30), virtual=True)).layout
    assert len(unfolded.panels[0].lanes) == 31

    async def strangers() -> None:
        tasks = [aio.create_task(aio.sleep(1), name=chr(0x410 + i) * 3) for i in range(60)]
        await aio.gather(*tasks)

    lanes = draw(record(strangers(), virtual=True)).layout.panels[0].lanes
    assert len(lanes) == 40 and lanes[-1].name == "others ×22"


def test_names_are_text_not_markup_and_have_their_room() -> None:
    names = [
        "$x_1^{2}$",
        r"$\frac$",
        "<b>&amp;</b>",
        "名前",
        "имя " * 30,
        "w" * 200,
        "%s {}",
        "$",
        "",
    ]

    async def program() -> None:
        await aio.gather(*(aio.create_task(aio.sleep(0.1), name=name) for name in names))

    picture = draw(record(program(), virtual=True), title="$\\frac", note="a $b " * 60)
    picture.png()
    assert "$x_1^{2}$" in str(picture)
    assert len(picture.layout.notes) > 1 and picture.layout.left <= 168
    assert shortened("w" * 200, 10, 80) == "w" * 8 + "…"
    assert (
        text_width(shortened("download(12345)", 8.2, 40, family="mono"), 8.2, family="mono") <= 40
    )
    assert shortened("abcdef", 10, 8) == ""


def test_no_task_one_task_and_no_time() -> None:
    async def nothing() -> None:
        pass

    for picture in (draw(Film()), draw(record(nothing())), draw(record(nothing(), virtual=True))):
        assert picture.png()
    assert draw(record(nothing(), virtual=True)).layout.ticks()[0][1] == "0 steps"


def test_where_no_time_passes_steps_are_counted() -> None:
    async def steps(n: int) -> None:
        for _ in range(n):
            await aio.sleep(0)

    async def program() -> None:
        await aio.gather(steps(2), steps(1))

    picture = draw(record(program(), virtual=True))
    assert picture.layout.duration == 7
    assert str(picture).splitlines()[:4] == [
        "timeline",
        "event loop  ████████████████████████████████████████████████████████",
        "program     ████████────────────────────────────────────────████████ ✓",
        "steps 1         ▒▒▒▒████████▒▒▒▒▒▒▒▒████████▒▒▒▒▒▒▒▒████████         ✓",
    ]
    assert draw(record(main(), virtual=True), axis="steps").layout.unit == "steps"


def test_a_step_that_blocks_is_marked_with_its_length() -> None:
    async def program() -> None:
        for seconds in (0.02, 0.12, 1.5):
            await aio.sleep(0.1)
            work(seconds)

    film = record(program(), virtual=True)

    def marked(**options: Any) -> list[str]:
        pieces = draw(film, **options).layout.panels[0].pieces
        return [piece.blocks for piece in pieces if piece.blocks]

    assert marked() == ["120 ms", "1.5 s"]
    assert marked(blocks=1) == ["1.5 s"]


def test_a_program_of_microseconds_has_an_axis_in_microseconds() -> None:
    async def program() -> None:
        await aio.sleep(2e-5)
        work(1e-5)

    layout = draw(record(program(), virtual=True)).layout
    assert layout.ticks()[0][1] == "0 µs"
    assert [text for _, text in layout.ticks()[1:]] == ["5", "10", "15", "20", "25", "30"]


def test_an_unfinished_film_says_so() -> None:
    async def program() -> None:
        for _ in range(99):
            await aio.sleep(0.1)

    picture = draw(record(program(), virtual=True, limit=40))
    assert picture.layout.notes == [
        "The recording stopped after 40 events; later ones are missing."
    ]
    assert ("open", "not finished") in picture.layout.legend[0]


# -- several films, and the heart -----------------------------------------------------------------


async def one_by_one() -> None:
    await aio.sleep(2)
    await aio.sleep(1)


async def together() -> None:
    await aio.gather(
        aio.create_task(aio.sleep(2), name="two"), aio.create_task(aio.sleep(1), name="one")
    )


def test_several_films_share_one_axis() -> None:
    films = [record(program(), virtual=True) for program in (one_by_one, together)]
    picture = draw(*films, title="Two waits", titles=["one by one", "together"])
    above, below = picture.layout.panels
    assert above.lanes[0].waits[0][1] == pytest.approx(below.lanes[1].waits[0][1], abs=5 * THIN)
    assert above.strip < above.lanes[0].y < below.strip < below.lanes[0].y
    assert above.lanes[0].hue == below.lanes[0].hue == 0
    assert max(lane.waits[-1][1] for lane in below.lanes) < RIGHT * 0.75
    text = str(picture)
    assert text.index("Two waits") < text.index("one by one") < text.index("together")


def test_a_heart_beats_in_a_lane_of_its_own() -> None:
    async def heart() -> None:
        while True:
            await aio.sleep(0.1)

    async def program() -> None:
        task = aio.create_task(heart(), name="heart")
        await aio.sleep(1)
        work(0.5)
        await aio.sleep(0.5)
        task.cancel()

    film = record(program(), virtual=True)
    panel = draw(film, heartbeat="heart").layout.panels[0]
    assert [lane.name for lane in panel.lanes] == ["program"]
    assert [text for _, _, text in panel.flats] == ["500 ms"] and len(panel.beats) > 10
    with pytest.raises(ValueError, match="no task is called 'hart'; the film has: program, heart"):
        draw(film, heartbeat="hart")


def test_threads_by_hand_have_no_strip_and_may_overlap() -> None:
    spans = [
        ("one", "running", 0, 1, ""),
        ("two", "running", 0.5, 2, ""),
        ("two", "waiting", 2, 3, "recv()"),
    ]
    film = Film.by_hand(spans, heartbeat=[0, 1, 2])
    panel = draw(film).layout.panels[0]
    assert panel.strip is None and panel.beat is not None
    assert [(p.x0, p.x1) for p in panel.lanes[1].pieces][0][0] < panel.lanes[0].pieces[0].x1
    assert draw(film, record(main(), virtual=True)).png()


# -- as a file and in a notebook ------------------------------------------------------------------


def test_the_same_film_gives_the_same_bytes(film: Film, tmp_path: Path) -> None:
    first, again = draw(film, title="A"), draw(record(main(), virtual=True), title="A")
    assert first.png() == again.png() and first.svg() == again.svg()
    assert str(first) == str(again)
    code = (
        "import sys; sys.path.insert(0, sys.argv[1]); import test_timeline as t;"
        "sys.stdout.buffer.write(t.draw(t.record(t.main(), virtual=True), title='A').png())"
    )
    other = subprocess.run(
        [sys.executable, "-c", code, str(Path(__file__).parent)],
        capture_output=True,
        env={**os.environ, "PYTHONHASHSEED": "7", "TZ": "Asia/Tokyo"},
    )
    assert other.stdout == first.png(), other.stderr.decode()


def test_files_hold_no_date_and_no_version(film: Film, tmp_path: Path) -> None:
    picture = draw(film)
    assert not Image.open(io.BytesIO(picture.png())).info.keys() & {
        "Software",
        "date",
        "Creation Time",
    }
    assert b"tEXt" not in picture.png()
    assert "matplotlib" not in picture.svg().lower() and "date" not in picture.svg().lower()
    picture.save(tmp_path / "film.png")
    picture.save(str(tmp_path / "film.svg"))
    assert (tmp_path / "film.png").read_bytes() == picture.png()
    assert (tmp_path / "film.svg").read_text() == picture.svg()
    with pytest.raises(ValueError, match=r"must end in \.png or \.svg; got 'film.gif'"):
        picture.save("film.gif")


def test_a_notebook_holds_several_pictures(film: Film) -> None:
    data, metadata = draw(film, title="3 workers, 10 jobs", note="A note " * 12)._repr_mimebundle_()
    assert set(data) == {"image/png", "text/html", "text/plain"}
    assert len(data["image/png"]) < 40_000
    size = metadata["image/png"]
    assert size["width"] == WIDTH * 4 / 3 and 300 < size["height"] < 500


def test_the_users_style_is_neither_touched_nor_used(film: Film) -> None:
    import matplotlib
    import matplotlib.style

    usual = draw(film).png()
    with matplotlib.rc_context():
        matplotlib.style.use("dark_background")
        matplotlib.rcParams.update({"font.size": 30, "axes.grid": True, "savefig.bbox": "tight"})
        before = dict(matplotlib.rcParams)
        assert draw(film).png() == usual
        assert dict(matplotlib.rcParams) == before


def test_pyplot_is_never_imported() -> None:
    code = (
        "import sys, asyncio_lessons as aio; from asyncio_lessons.classroom import draw, record;"
        "draw(record(aio.sleep(0))).png(); print('matplotlib.pyplot' in sys.modules)"
    )
    shown = subprocess.run([sys.executable, "-c", code], capture_output=True, text=True)
    assert shown.stdout.strip() == "False", shown.stderr


def test_as_text_on_virtual_time(film: Film) -> None:
    picture = draw(film, title="3 workers")
    assert str(picture).splitlines() == [
        "3 workers",
        "event loop  █·······███·██████·····█·██████···█·██████·█··█··██████··███",
        "main        █──────────────────────█──────█───█────────█──█────────────█ ✓",
        "worker 1    █───────────▒▒████─────█────────────███────█────────███────█ ✕",
        "worker 2    █───────────███──────────████─█───────████────█──────────███ ✕",
        "worker 3    █───────███─────────────────███───█──────────────███───────█ ✕",
        "            0                                                     964 ms",
        "            █ runs  ▒ ready  ─ waits  ✓ done  ✕ cancelled  ! failed  … not finished",
    ]


def test_as_text_in_real_time_only_what_never_differs() -> None:
    picture = draw(record(crowd(20)), title="A crowd")
    assert str(picture) == "A crowd\non lessons, in real time: crowd, client ×20"


def test_what_cannot_be_drawn_is_said_in_one_sentence(film: Film) -> None:
    with pytest.raises(TypeError, match=r"needs films, as record\(main\(\)\) returns; got 3"):
        draw(3)
    with pytest.raises(TypeError, match="at least one film"):
        draw()
    with pytest.raises(ValueError, match="theme must be auto, light or dark; got 'blue'"):
        draw(film, theme="blue")
    with pytest.raises(ValueError, match="axis must be auto, time or steps; got 'x'"):
        draw(film, axis="x")
    with pytest.raises(ValueError, match="titles must be one for each film: 1; got 2"):
        draw(film, titles=["a", "b"])


# -- what is late, and what happens in one moment -------------------------------------------------


async def late_by_a_tenth() -> None:
    async def sleeper(delay: float) -> None:
        await aio.sleep(delay)
        work(0.2)

    await aio.gather(
        *(aio.create_task(sleeper(delay), name=f"sleeper {delay}") for delay in (0.9, 0.8))
    )


def test_a_timer_that_is_due_while_another_task_runs_has_a_late_tail() -> None:
    picture = draw(record(late_by_a_tenth(), virtual=True))
    layout = picture.layout
    lane = next(lane for lane in layout.panels[0].lanes if lane.name == "sleeper 0.9")
    (x0, x1, how_late) = lane.lates[0]
    assert (x0, how_late) == (pytest.approx(layout.x(0.9)), "100 ms")
    assert x1 == pytest.approx(lane.pieces[1].x0) == pytest.approx(layout.x(1.0))
    assert lane.waits[-1][1] == pytest.approx(x0)  # it waits until it is due, and no longer
    assert lane.marks == [(pytest.approx(x0), "timer")]
    assert "late" in [key for row in layout.legend for key, _ in row]
    assert "100 ms late" in picture.describe() and "100 ms late" in picture.svg()
    on_time = next(lane for lane in layout.panels[0].lanes if lane.name == "sleeper 0.8")
    assert not on_time.lates


async def one_fails() -> None:
    async def fail() -> None:
        await aio.sleep(1)
        raise ValueError

    try:
        async with aio.TaskGroup() as group:
            group.create_task(aio.sleep(3), name="tea")
            group.create_task(fail(), name="cake")
            group.create_task(aio.sleep(2), name="milk")
    except* ValueError:
        await aio.sleep(2)


def test_what_happens_in_one_moment_is_spread() -> None:
    layout = draw(record(one_fails(), virtual=True)).layout
    panel = layout.panels[0]
    for moment in (0.0, 1.0):
        steps = [piece for piece in panel.pieces if piece.start == moment]
        assert len(steps) > 3
        assert all(step.x1 - step.x0 > 3 * THIN for step in steps)
        assert all(a.x1 <= b.x0 + 1e-9 for a, b in itertools.pairwise(steps))
        x0, x1 = layout.scale.x(moment), layout.scale.after(moment)
        assert any(a - 1e-9 <= x0 and x1 <= b + 1e-9 for a, b in layout.moments)
    alone = [piece for piece in panel.pieces if piece.start == 3.0]
    assert [piece.x1 - piece.x0 for piece in alone] == [pytest.approx(THIN)]
    lanes = {lane.name: lane for lane in panel.lanes}
    assert lanes["milk"].readies[-1][1] == lanes["milk"].pieces[-1].x0  # ready, behind tea
    heads = [stem for stem in panel.stems if not stem.first]
    assert heads[0].waker.name == "cake"
    assert {"tea", "milk"} <= {lane.name for lane in heads[0].woken}


def test_the_axis_is_the_same_for_all_films_and_grows_with_time() -> None:
    films = [record(program(), virtual=True) for program in (one_fails, late_by_a_tenth)]
    scale = draw(*films).layout.scale
    times = [n / 100 for n in range(301)]
    assert all(scale.x(a) < scale.x(b) for a, b in itertools.pairwise(times))
    assert all(scale.x(t) <= scale.after(t) for t in times)
    assert scale.after(3.0) == pytest.approx(RIGHT)


def test_where_nothing_computes_no_share_is_written() -> None:
    svg = draw(record(one_fails(), virtual=True)).svg()
    assert "% ran" not in svg and "% busy" not in svg
    mixed = draw(record(late_by_a_tenth(), virtual=True)).svg()
    assert "% busy" in mixed and ">0%" not in mixed


def test_the_legend_is_grey(film: Film) -> None:
    picture = draw(film)
    foot = picture.layout.axis_y + 12
    drawn = colors(picture, (0, foot, WIDTH, picture.layout.height))
    assert not drawn & set(LIGHT[1:])
    assert THEMES["light"].muted in drawn


def test_stems_cut_no_gaps_into_bars(film: Film) -> None:
    from asyncio_lessons.classroom.pictures.canvas import Path as Stroke

    canvas = draw(film).canvas(THEMES["light"])
    drawn = [stroke for stroke in canvas.strokes() if isinstance(stroke, Stroke)]
    assert drawn and all(stroke.color != canvas.theme.face for stroke in drawn)


# -- lanes of values ------------------------------------------------------------------------------


async def shop(size: int) -> None:
    shelf = aio.Queue(size)

    async def bake() -> None:
        for loaf in range(3):
            await aio.sleep(0.2)
            await shelf.put(loaf)
            measure("shelf", shelf.qsize())

    baking = aio.create_task(bake(), name="baker")
    for _ in range(3):
        await shelf.get()
        measure("shelf", shelf.qsize())
        await aio.sleep(1)
    await baking


@pytest.mark.parametrize("details", [False, True])
def test_what_is_measured_has_a_lane_of_its_own(details: bool) -> None:
    films = [record(shop(size), virtual=True, details=details) for size in (0, 1)]
    picture = draw(*films)
    above, below = (panel.values for panel in picture.layout.panels)
    assert [value for _, value in above[0].points] == [1, 0, 1, 2, 1, 0]
    assert above[0].most == below[0].most == 2  # one scale, or the lengths could not be compared
    shop_lane = picture.layout.panels[0].lanes[0]
    assert above[0].points[1][0] == pytest.approx(shop_lane.pieces[1].x0)  # in the step of the get
    assert "shelf: 1, 0, 1, 2, 1, 0, at most 2" in picture.describe()
    assert ">shelf</text>" in picture.svg()


def test_measuring_unfilmed_does_nothing() -> None:
    assert aio.run(shop(1)) is None
    measure("shelf", 1)


def test_values_can_be_given(film: Film) -> None:
    lane = draw(film, data={"jobs": [(0, 10), (0.5, 4)]}).layout.panels[0].values[0]
    assert (lane.name, [value for _, value in lane.points]) == ("jobs", [10, 4])
    with pytest.raises(ValueError, match="one dictionary for each film: 2; got 1"):
        draw(film, film, data=[{}])
    with pytest.raises(TypeError, match=r"data\['jobs'\] needs pairs \(seconds, value\)"):
        draw(film, data={"jobs": [3]})


# -- without matplotlib ---------------------------------------------------------------------------

BARE = """
import sys
for name in ("matplotlib", "numpy", "PIL"):
    sys.modules[name] = None
sys.path.insert(0, sys.argv[1])
import asyncio_lessons as aio
from asyncio_lessons.classroom import draw, record
async def main():
    await aio.gather(*(aio.create_task(aio.sleep(n / 10), name=f"sleeper {n}") for n in range(4)))
picture = draw(record(main(), virtual=True), title="A & B < C", note="A note")
"""


def bare(code: str) -> subprocess.CompletedProcess:
    command = [sys.executable, "-c", BARE + code, str(Path(__file__).parent)]
    return subprocess.run(command, capture_output=True, text=True)


def test_without_matplotlib_the_picture_is_the_same_svg() -> None:
    here = subprocess.run(
        [
            sys.executable,
            "-c",
            BARE.replace("sys.modules[name] = None", "__import__(name)") + "print(picture.svg())",
            ".",
        ],
        capture_output=True,
        text=True,
    )
    there = bare("print(picture.svg())")
    assert there.stdout == here.stdout != "", there.stderr


def test_without_matplotlib_a_notebook_shows_the_svg() -> None:
    shown = bare("print(sorted(picture._repr_mimebundle_()[0]))")
    assert shown.stdout.strip() == "['text/html', 'text/plain']", shown.stderr
    saved = bare("picture.save('x.png')")
    assert saved.stderr.splitlines()[-1] == (
        "ModuleNotFoundError: a PNG is painted by matplotlib and Pillow, and one of them is not "
        "installed: save the picture as .svg, or pip install matplotlib pillow"
    )


def test_the_table_of_widths_is_that_of_the_fonts() -> None:
    import matplotlib
    from matplotlib.ft2font import FT2Font, LoadFlags

    from asyncio_lessons.classroom.pictures import words

    folder = Path(matplotlib.get_data_path()) / "fonts" / "ttf"
    fonts = {"normal": "DejaVuSans.ttf", "bold": "DejaVuSans-Bold.ttf"}
    for weight, file in fonts.items():
        font = FT2Font(str(folder / file))
        for character, width in words._WIDTHS[weight].items():
            glyph = font.load_char(ord(character), flags=LoadFlags.NO_SCALE)
            assert glyph.horiAdvance == width, (weight, character)
        assert text_width("é", 2048, weight) == text_width("e", 2048, weight)
    assert text_width("wait", 2048, family="mono") == 4 * 1233


def test_an_svg_is_one_whole_with_nothing_from_outside() -> None:
    names = ["<b>&amp;</b>", "名前", "\x00\x1b", "\ud800", "]]>", '"', "a\u202eb"]

    async def program() -> None:
        await aio.gather(*(aio.create_task(aio.sleep(0.1), name=name) for name in names))

    svg = draw(record(program(), virtual=True), title="$<script>alert(1)</script>").svg()
    root = ElementTree.fromstring(svg)
    tags = {element.tag.rpartition("}")[2] for element in root.iter()}
    assert tags == {"svg", "title", "style", "rect", "path", "text"}
    attributes = {name for element in root.iter() for name in element.attrib}
    assert not attributes & {"id", "href", "onload"}
    assert "url(" not in svg and "@import" not in svg


def test_an_svg_follows_the_page_and_a_chosen_theme_does_not(film: Film) -> None:
    svg = draw(film).svg()
    light, _, dark = svg.partition("@media (prefers-color-scheme:dark)")
    assert all(hue in light for hue in LIGHT[:4]) and all(hue in dark for hue in DARK[:4])
    assert "@media" not in draw(film, theme="dark").svg()
    assert DARK[1] in draw(film, theme="dark").svg()
    assert LIGHT[1] not in draw(film, theme="dark").svg()
    page = draw(film).html()
    assert page.count("<img") == 1 and "color-scheme: dark" in page


def test_every_picture_says_what_it_shows(film: Film) -> None:
    data, metadata = draw(film, title="A & <b>", note="The proof")._repr_mimebundle_()
    said = metadata["image/png"]["alt"]
    assert said.startswith("A & <b>. The proof. Timeline of 4 lanes, 964 ms, the loop is busy 41%")
    assert "worker 3: 6 steps, waits in download(3), download(4), jobs.get(), …, cancelled" in said
    assert f'alt="{html.escape(said)}"' in data["text/html"]
    assert (
        f"<title>{html.escape(said, quote=False)}</title>"
        in draw(film, title="A & <b>", note="The proof").svg()
    )

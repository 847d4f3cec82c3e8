"""The trace file: what https://ui.perfetto.dev asks of one."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from pathlib import Path

import pytest

import asyncio_lessons as aio
from asyncio_lessons.classroom import Film, record, trace, work


async def program() -> None:
    async def child(n: int) -> None:
        await aio.sleep(n / 10)
        work(0.03)

    tasks = [aio.create_task(child(n), name=f"child {n}") for n in (1, 2)]
    await aio.gather(*tasks)


@pytest.fixture(scope="module")
def document() -> dict:
    return trace(record(program(), virtual=True))


def of(document: dict, phase: str) -> list[dict]:
    return [event for event in document["traceEvents"] if event["ph"] == phase]


def test_lanes_have_names_and_an_order(document: dict) -> None:
    threads = {e["tid"]: e["args"]["name"] for e in of(document, "M") if e["name"] == "thread_name"}
    assert threads == {1: "event loop", 10: "program", 11: "child 1", 12: "child 2"}
    orders = [e["args"]["sort_index"] for e in of(document, "M") if "sort_index" in e["args"]]
    assert orders == [0, 1, 2, 3]
    assert document["displayTimeUnit"] == "ms" and 0 not in threads


def test_slices_are_in_microseconds_and_never_overlap_in_a_lane(document: dict) -> None:
    lanes = defaultdict(list)
    for event in of(document, "X"):
        lanes[event["tid"]].append((event["ts"], event["ts"] + event["dur"]))
    for slices in lanes.values():
        slices.sort()
        assert all(one[1] <= two[0] for one, two in zip(slices, slices[1:], strict=False))
    assert (100_000.0, 130_000.0) in lanes[11] and (100_000.0, 130_000.0) in lanes[1]
    names = [event["name"] for event in of(document, "X") if event["tid"] == 11]
    assert names == ["running", "sleep(0.1)", "running"]


def test_slices_that_touch_still_touch_after_rounding() -> None:
    third = 1 / 3
    spans = [
        ("a", "running" if i % 2 else "waiting", i * third, (i + 1) * third, "") for i in range(99)
    ]
    slices = of(trace(Film.by_hand(spans)), "X")
    ends = [event["ts"] + event["dur"] for event in slices]
    assert all(
        end == pytest.approx(event["ts"], abs=1e-9)
        for end, event in zip(ends, slices[1:], strict=False)
    )
    assert all(round(event["ts"], 3) == event["ts"] for event in slices)


def test_arrows_have_two_ends_and_hit_the_start_of_a_slice(document: dict) -> None:
    starts, ends = ({event["id"]: event for event in of(document, phase)} for phase in "sf")
    assert starts.keys() == ends.keys() and len(starts) == 3
    assert Counter(event["name"] for event in starts.values()) == {"starts": 2, "wakes": 1}
    begins = {(e["tid"], e["ts"]) for e in of(document, "X") if e.get("cat") == "running"}
    for number, end in ends.items():
        assert (end["tid"], end["ts"]) in begins and end["bp"] == "e"
        assert starts[number]["ts"] <= end["ts"]
    wake = next(event for event in starts.values() if event["name"] == "wakes")
    assert wake["tid"] == 12 and ends[wake["id"]]["tid"] == 10


def test_marks_say_what_came_from_outside_and_how_it_ended(document: dict) -> None:
    marks = Counter((event["name"], event["tid"]) for event in of(document, "i"))
    assert marks[("woken by timer", 11)] == 1
    assert [marks[("done", lane)] for lane in (10, 11, 12)] == [1, 1, 1]
    assert all(event["s"] == "t" for event in of(document, "i"))


def test_it_is_written_as_json(tmp_path: Path) -> None:
    async def named() -> None:
        await aio.create_task(aio.sleep(0), name='имя "x" \n')

    path = tmp_path / "trace.json"
    document = trace(record(named()), path)
    assert json.loads(path.read_text(encoding="utf-8")) == document
    assert trace(Film())["traceEvents"]

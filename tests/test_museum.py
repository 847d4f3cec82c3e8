"""The museum says of each old form what this Python says of it."""

import sys
from importlib import import_module

import pytest

from asyncio_lessons.classroom import museum
from asyncio_lessons.classroom.notebook.museum import COLUMNS, EXHIBITS, Exhibit, says, this_python


@pytest.fixture(scope="module")
def here() -> dict[str, str]:
    return dict(zip([each.old for each in EXHIBITS], says(EXHIBITS), strict=True))


@pytest.mark.parametrize("exhibit", EXHIBITS, ids=lambda each: each.old)
def test_this_python_says_what_its_column_says(exhibit: Exhibit, here: dict[str, str]) -> None:
    expected = exhibit.expected(this_python())
    assert here[exhibit.old] == expected, "a newer Python? then add a line to its history"


def test_no_surprises() -> None:
    assert museum.surprises() == []


def test_a_surprise_is_told(monkeypatch: pytest.MonkeyPatch) -> None:
    wrong = Exhibit("1 / 0", "1 / 0", "1 / 1", (("3.4", "works"),))
    monkeypatch.setattr(museum, "EXHIBITS", (wrong,))
    told = f"1 / 0: ZeroDivisionError, and the table says works for {this_python()}"
    assert museum.surprises() == [told]


def test_a_version_is_a_number_and_not_a_word() -> None:
    exhibit = Exhibit("", "", "", (("3.4", "works"), ("3.9", "warns"), ("3.10", "TypeError")))
    versions = ("3.4", "3.8", "3.9", "3.10", "3.14", "4.0")
    said = ["works", "works", "warns", "TypeError", "TypeError", "TypeError"]
    assert [exhibit.expected(version) for version in versions] == said


def test_the_columns_show_each_change_after_the_first() -> None:
    for exhibit in EXHIBITS:
        shown = [exhibit.expected(column) for column in COLUMNS]
        last = exhibit.history[-1][1]
        assert shown[-1] == last, exhibit.old
        assert list(dict.fromkeys(shown)) == [
            says for _, says in exhibit.history if says in shown
        ], exhibit.old


def test_histories_are_in_order_and_change_each_time() -> None:
    for exhibit in EXHIBITS:
        versions = [tuple(map(int, since.split("."))) for since, _ in exhibit.history]
        assert versions == sorted(set(versions)), exhibit.old
        said = [says for _, says in exhibit.history]
        assert all(one != other for one, other in zip(said, said[1:], strict=False)), exhibit.old


def test_old_forms_and_new_ones_are_told_apart() -> None:
    assert len({each.old for each in EXHIBITS}) == len(EXHIBITS)
    assert all(each.old != each.modern for each in EXHIBITS)


def test_the_table_reads_as_text_and_as_markdown() -> None:
    table = museum.table()
    lines = repr(table).splitlines()
    assert len(lines) == len(EXHIBITS) + 2
    assert lines[0].split()[:4] == ["the", "old", "form", COLUMNS[0]]
    assert lines[-1] == "✓ works, ! warns, ✕ raises"
    markdown = table._repr_markdown_().splitlines()
    assert len(markdown) == len(EXHIBITS) + 4
    assert {line.count(" | ") for line in markdown[:-2]} == {len(COLUMNS) + 2}


def test_a_row_marks_what_each_python_says() -> None:
    row = next(row for row in museum.table().rows if row[0] == "@asyncio.coroutine")
    says = dict(zip(COLUMNS, row[1:], strict=False))
    assert says["3.6"] == "✓" and says["3.10"] == "!" and says["3.11"] == "✕"
    assert row[-2:] == ("AttributeError", "async def")


def test_nothing_of_the_museum_happens_here() -> None:
    before = set(sys.modules)
    museum.surprises()
    assert set(sys.modules) - before <= {"asyncio"}
    assert import_module("asyncio")._get_running_loop() is None

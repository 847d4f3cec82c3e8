"""The check in lesson 00 finds what is missing and says so in plain words."""

from __future__ import annotations

import importlib.util
import socket
import threading

import pytest

from asyncio_lessons.classroom import environment


def test_a_good_machine_lacks_nothing(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("ASYNCIO_LESSONS_WORKSHOP", str(tmp_path))
    assert environment.check() == "Everything the course needs is here."


def test_an_old_python_is_named() -> None:
    (sentence,) = environment._python((3, 9))
    assert sentence.startswith("This is Python 3.9, and the course needs 3.11 or newer: ")
    assert not list(environment._python((3, 11)))


@pytest.mark.parametrize("name", [*environment.NEEDED, environment.NESTING])
def test_a_missing_package_is_named_with_what_it_is_for(name: str, monkeypatch) -> None:
    find = importlib.util.find_spec
    monkeypatch.setattr(
        importlib.util, "find_spec", lambda wanted: None if wanted == name else find(wanted)
    )
    said = environment.check()
    assert f"The package {name} " in said
    assert "%pip install" in said


def test_no_sockets_are_noticed(monkeypatch) -> None:
    def refuse(*_, **__):
        raise OSError("no network")

    monkeypatch.setattr(socket, "create_server", refuse)
    said = environment.check()
    assert "cannot connect to itself" in said
    assert "%pip" not in said


def test_no_threads_are_noticed(monkeypatch) -> None:
    def refuse(_):
        raise RuntimeError("can't start new thread")

    monkeypatch.setattr(threading.Thread, "start", refuse)
    assert "cannot start threads" in environment.check()


def test_a_folder_that_cannot_be_written_is_noticed(tmp_path, monkeypatch) -> None:
    monkeypatch.setenv("ASYNCIO_LESSONS_WORKSHOP", str(tmp_path / "nowhere"))
    assert "cannot be written" in environment.check()

"""Work is done side by side and in order; a process that dies costs its own piece and no other."""

from __future__ import annotations

import os
import subprocess
import sys
import textwrap
from contextlib import suppress
from pathlib import Path

import cv2
import pytest

from lookalike.collection.crew import AHEAD, Crew, Lost, one_thread_a_picture
from lookalike.errors import DecodeFailed, WorkerLost


def squared(number: int) -> tuple[int, int]:
    return number * number, os.getpid()


def where(number: int) -> int:
    return os.getpid()


def fragile(number: int) -> int:
    if number == 7:
        os._exit(3)  # as a decoder that crashes
    return number


def failing(number: int) -> int:
    if number == 3:
        raise DecodeFailed("it is damaged", source="x.jpg", remedy="get it again")
    return number


@pytest.mark.parametrize("much", [False, True])
@pytest.mark.parametrize("size", [1, 3])
def test_all_is_done_in_order(size: int, much: bool) -> None:
    with Crew(size) as crew:
        done = list(crew.do(squared, range(40), much=much))
    assert [result for result, _ in done] == [number * number for number in range(40)]
    elsewhere = {process for _, process in done} - {os.getpid()}
    assert bool(elsewhere) == (much and size > 1)


def test_processes_stay_for_what_comes_after_and_go_at_the_end() -> None:
    with Crew(2) as crew:
        first = {process for _, process in crew.do(squared, range(9), much=True)}
        assert first & {process for _, process in crew.do(squared, range(9), much=False)}
    for process in first:
        with pytest.raises(ProcessLookupError):
            os.kill(process, 0)


@pytest.mark.parametrize("much", [False, True])
def test_pieces_are_taken_as_they_are_needed(much: bool) -> None:
    taken = []

    def pieces() -> object:
        for number in range(1000):
            taken.append(number)
            yield number

    with Crew(2) as crew:
        for _ in crew.do(squared, pieces(), much=much):  # type: ignore[arg-type]
            break
    assert len(taken) <= 2 * AHEAD + 1


@pytest.mark.parametrize("much", [False, True])
def test_an_error_reaches_the_caller(much: bool) -> None:
    with Crew(2) as crew, pytest.raises(DecodeFailed, match=r"x.jpg: it is damaged"):
        list(crew.do(failing, range(9), much=much))


def test_a_process_that_dies_costs_one_piece() -> None:
    with Crew(2) as crew:
        done = list(crew.do_or_lose(fragile, range(20), much=True))
        assert [each.work if isinstance(each, Lost) else each for each in done] == list(range(20))
        assert [number for number, each in enumerate(done) if isinstance(each, Lost)] == [7]
        with pytest.raises(WorkerLost, match="ended without a word"):
            list(crew.do(fragile, range(20), much=True))


def test_a_script_without_a_guard_may_use_it() -> None:
    """multiprocessing would run the script again in every process."""
    code = """
        from lookalike.collection.crew import Crew
        print("once")
        with Crew(2) as crew:
            print(sum(crew.do(abs, range(-10, 0), much=True)))
    """
    done = subprocess.run([sys.executable, "-c", textwrap.dedent(code)], capture_output=True, text=True, check=True)
    assert done.stdout.split() == ["once", "55"]
    assert done.stderr == ""


@pytest.mark.skipif(sys.platform == "win32", reason="there pipes end them")
def test_who_is_killed_leaves_no_process_behind() -> None:
    code = """
        import os, sys, time
        from lookalike.collection.crew import Crew
        from test_crew import where
        with Crew(2) as crew:
            print(len(set(crew.do(where, range(9), much=True)) - {os.getpid()}), flush=True)
            time.sleep(60)
    """
    module = str(Path(__file__).parent)
    variables = {**os.environ, "PYTHONPATH": os.pathsep.join([module, os.environ.get("PYTHONPATH", "")])}
    command = [sys.executable, "-c", textwrap.dedent(code)]
    with subprocess.Popen(command, stdout=subprocess.PIPE, text=True, env=variables) as killed:
        assert killed.stdout is not None
        assert int(killed.stdout.readline()) > 0
        killed.kill()
        killed.communicate(timeout=20)  # whoever is left would hold its end of the pipe


def test_threads_of_opencv_are_as_before() -> None:
    before = cv2.getNumThreads()
    with suppress(ZeroDivisionError), one_thread_a_picture():
        assert cv2.getNumThreads() == 1
        raise ZeroDivisionError
    assert cv2.getNumThreads() == before

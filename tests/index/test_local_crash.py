"""Killed at any moment, an index keeps what it acknowledged, opens at once and goes on.

Some kills here; ``LOOKALIKE_KILLS=100`` makes it a hundred.
"""

from __future__ import annotations

import os
import random
import subprocess
import sys
import time
from pathlib import Path

import numpy as np

from lookalike.index import local
from lookalike.index.base import Space
from lookalike.index.items import Filter, Item
from lookalike.index.local import LocalIndex

KILLS = int(os.environ.get("LOOKALIKE_KILLS", "15"))
SPACE = Space(24)
BATCH = 6

State = dict[str, int]
"""Id → how often it was replaced; -1 for an item that was removed."""


def vector(name: str, version: int) -> np.ndarray:
    return np.random.default_rng([int(name), version]).standard_normal(SPACE.dimension)


def item(name: str, version: int) -> Item:
    return Item(
        name, vector(name, version), f"{version}", ("even",) if int(name) % 2 == 0 else (), {"version": version}
    )


def write(folder: Path, start: int) -> None:
    """Add, replace, remove and save until killed; every step is announced before it and acknowledged after."""
    local.WORTH, local.LOOSE, local.EMPTY_SHARE, local.BATCH = 50, 0.02, 0.05, 16
    dice = random.Random(start)
    with LocalIndex(folder, writing=True) as index:
        os.write(1, b"ready\n")
        while True:
            names = [str(number) for number in range(start, start + BATCH)]
            _said("add", names, 0, lambda names=names: index.add([item(name, 0) for name in names]))
            again = [names[0], str(dice.randrange(start + BATCH))] if start else names[:1]
            again = [name for name in dict.fromkeys(again) if name in names or index.get([name])[0] is not None]
            versions = [int((index.get([name])[0] or item(name, 0)).source) + 1 for name in again]
            for name, version in zip(again, versions, strict=True):
                _said("add", [name], version, lambda n=name, v=version: index.add([item(n, v)], replace=True))
            gone = [names[2], str(dice.randrange(start + BATCH))]
            _said("add", gone, -1, lambda gone=gone: index.remove(gone))
            if dice.random() < 0.3:
                index.save()
            if dice.random() < 0.05:
                index.rebuild()
            start += BATCH


def _said(what: str, names: list[str], version: int, do: object) -> None:
    line = f"{what} {version} {' '.join(names)}\n".encode()
    os.write(1, b"> " + line)
    do()  # type: ignore[operator]
    os.write(1, b"< " + line)


def killed_while_writing(folder: Path, start: int, seconds: float) -> tuple[list[State], State]:
    """What a writer acknowledged in that time, step by step, and what it was at when it was killed."""
    command = [sys.executable, str(Path(__file__).resolve()), str(folder), str(start)]
    # without a buffer, in which lines after the first would be lost to communicate()
    with subprocess.Popen(command, stdout=subprocess.PIPE, stderr=subprocess.PIPE, bufsize=0) as process:
        assert process.stdout is not None
        first = process.stdout.readline()
        time.sleep(seconds)
        process.kill()
        output, errors = process.communicate()
    assert (first.split(), errors) == ([b"ready"], b"")
    done: list[State] = []
    pending: State = {}
    for line in output.decode().splitlines(keepends=True):
        if not line.endswith("\n"):
            continue
        when, _, version, *names = line.split()
        pending = dict.fromkeys(names, int(version)) if when == ">" else {}
        if when == "<":
            done.append(dict.fromkeys(names, int(version)))
    return done, pending


def test_nothing_acknowledged_is_lost(tmp_path: Path) -> None:
    folder, dice = tmp_path / "index", random.Random(5)
    LocalIndex.create(folder, SPACE).close()
    state: State = {}
    slowest, steps = 0.0, 0
    for _ in range(KILLS):
        start = BATCH * -(-(1 + max(map(int, state), default=-1)) // BATCH)
        done, pending = killed_while_writing(folder, start, dice.uniform(0, 0.25))
        for step in done:
            state.update(step)
        steps += len(done)
        for writing in (False, True):
            began = time.monotonic()
            with LocalIndex(folder, writing=writing) as index:
                slowest = max(slowest, time.monotonic() - began)
                assert index.notices == []
                seen = _settled(index, state, pending)
                _check(index, seen, dice)
        state = seen  # a reader may not see yet what was cut off just when it was written, the next writer does
    live = sum(version >= 0 for version in state.values())
    print(f"{KILLS} kills, {steps} steps, {live} items, slowest opening {slowest:.2f} s")
    assert slowest < 5
    assert live > 0


def _settled(index: LocalIndex, state: State, pending: State) -> State:
    """The state with the step that was cut off, which was done as a whole or not at all."""
    found = dict(zip(pending, index.get(list(pending)), strict=True))
    now = {name: -1 if there is None else int(there.source) for name, there in found.items()}
    assert now in (pending, {name: state.get(name, -1) for name in pending})
    return {**state, **now}


def _check(index: LocalIndex, state: State, dice: random.Random) -> None:
    names = list(state)
    live = [name for name in names if state[name] >= 0]
    found = dict(zip(names, index.get(names), strict=True))
    assert {name: -1 if there is None else int(there.source) for name, there in found.items()} == state
    assert len(index) == len(live)
    assert index.count(Filter(every=("even",))) == sum(int(name) % 2 == 0 for name in live)
    assert {each.id for each in index.items()} == set(live)
    sample = dice.sample(names, min(40, len(names)))
    if not sample:
        return
    for name, hits in zip(
        sample, index.search(np.stack([vector(name, max(0, state[name])) for name in sample]), 1), strict=True
    ):
        if state[name] >= 0:
            assert (hits[0].id, hits[0].data) == (name, {"version": state[name]})
            assert hits[0].similarity > 0.999
            assert np.array_equal(found[name].vector, SPACE.row(vector(name, state[name]))[0])
        else:
            assert all(hit.id != name for hit in hits)


if __name__ == "__main__":
    write(Path(sys.argv[1]), int(sys.argv[2]))

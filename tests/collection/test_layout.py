"""What was cut out of a picture is nearest to the window it was cut out of."""

from __future__ import annotations

import numpy as np
import numpy.typing as npt
import pytest
from synthetic import photo

from lookalike import load
from lookalike.collection import layout
from lookalike.collection.candidates import SPACES, inside
from lookalike.collection.neighbours import whitening
from lookalike.features.base import method
from lookalike.features.cells import GRID, SIDE, ZERO

Array = npt.NDArray[np.uint8]
PHOTOS = [photo(60 * number + 1, 256, 256) for number in range(40)]


def grids(side: int, *pictures: Array) -> npt.NDArray[np.uint8]:
    made = method("cells", side=side)
    return np.stack([made.extract([load(np.ascontiguousarray(pixels))])[0] for pixels in pictures])


def patches(*pictures: Array) -> npt.NDArray[np.uint8]:
    return np.stack([layout.patches(grid) for grid in grids(SIDE, *pictures)])


def by_hand(grid: Array, top: int, left: int, side: int) -> npt.NDArray[np.float64]:
    """Quarters of a square of cells, one number after the other, of length 1."""
    cells = grid.reshape(GRID, GRID, -1).astype(float) - ZERO
    half = side // 2
    corners = [(top, left), (top, left + half), (top + half, left), (top + half, left + half)]
    found = np.concatenate([cells[y : y + half, x : x + half].mean(axis=(0, 1)) for y, x in corners])
    return np.asarray(found / np.linalg.norm(found))


def test_quarters_and_windows_are_means_of_cells() -> None:
    all_cells = grids(SIDE, *PHOTOS[:3])
    found = np.stack([layout.patches(grid) for grid in all_cells])
    wholes, windows = layout.quarters(found), layout.windows(found).reshape(3, layout.WINDOWS, -1)
    for number, grid in enumerate(all_cells):  # patches are rounded down to bytes, hence the tolerance
        np.testing.assert_allclose(wholes[number], by_hand(grid, 0, 0, GRID), atol=0.02)
        for window in range(layout.WINDOWS):
            top, left = 2 * (window // 3), 2 * (window % 3)
            np.testing.assert_allclose(windows[number, window], by_hand(grid, top, left, GRID // 2), atol=0.02)


@pytest.mark.parametrize(("x", "y", "window"), [(0, 0, 0), (64, 64, 4), (128, 0, 2), (60, 130, 7)])
def test_a_quarter_is_nearest_to_its_window(x: int, y: int, window: int) -> None:
    windows = layout.windows(patches(*PHOTOS))
    parts = [pixels[y : y + 128, x : x + 128] for pixels in PHOTOS[:10]]
    halves = layout.quarters(grids(SIDE // 2, *parts))
    space = whitening(np.concatenate([windows, halves]), 60)
    nearest = (space(halves) @ space(windows).T).argmax(axis=1)
    right = nearest == layout.WINDOWS * np.arange(10) + window
    assert right.mean() >= 0.9


def pairs(found: object) -> list[tuple[int, int]]:
    return list(zip(found.first.tolist(), found.second.tolist(), strict=True))  # type: ignore[attr-defined]


def test_parts_come_first_whichever_is_which() -> None:
    parts = [pixels[70:198, 58:186] for pixels in PHOTOS[:8]]
    pictures = [*PHOTOS, *parts]
    windows, halves = layout.windows(patches(*pictures)), layout.quarters(grids(SIDE // 2, *pictures))
    space = whitening(np.concatenate([windows, halves]), SPACES["windows"])
    wanted = {(number, len(PHOTOS) + number) for number in range(8)}
    every = inside(space(halves), space(windows))
    assert len(wanted & set(pairs(every)[:12])) >= 7
    assert all(a < b for a, b in pairs(every))
    assert len(set(pairs(every))) == len(every.first)
    assert (np.diff(every.score) <= 0).all()
    (only,) = inside(space(halves), space(windows), [0], range(len(pictures))).first[:1]
    assert only == 0
    new = range(len(PHOTOS), len(pictures))
    for rows, columns in ((new, range(len(pictures))), (range(8), new)):
        some = inside(space(halves), space(windows), rows, columns)
        assert len(some.first) <= 32 * len(rows)
        assert len(wanted & set(pairs(some)[:12])) >= 7
        assert all(a != b and {a, b} & {*rows} and {a, b} & {*columns} for a, b in pairs(some))

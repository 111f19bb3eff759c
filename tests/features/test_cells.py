"""Cells: the network's middle layer, which the file that ends there gives too."""

from __future__ import annotations

import numpy as np
import onnx
import pytest
from onnx import numpy_helper
from synthetic import garment, photo

from lookalike import load
from lookalike.errors import UsageError
from lookalike.features import models
from lookalike.features.base import method
from lookalike.features.cells import CHANNELS, GRID, MODEL, SIDE, ZERO, Cells, square
from lookalike.features.embedding import DEFAULT_MODEL
from lookalike.features.shrink import content

made = method("cells")


def cells(pixels: np.ndarray) -> np.ndarray:
    (feature,) = made.extract([load(np.ascontiguousarray(pixels))])
    return np.asarray(feature)


def test_what_counts_as_zero_is_what_the_model_says() -> None:
    graph = onnx.load(str(models.spec(MODEL).path)).graph
    (node,) = (node for node in graph.node if "cells" in node.output)
    assert node.op_type == "QLinearAdd"
    (zero,) = (tensor for tensor in graph.initializer if tensor.name == node.input[-1])
    assert numpy_helper.to_array(zero) == ZERO


def test_the_file_is_the_beginning_of_the_whole_network() -> None:
    """Every node and weight of it is the whole file's, up to the name of what comes out."""
    part, whole = (onnx.load(str(models.spec(name).path)).graph for name in (MODEL, DEFAULT_MODEL))
    weights = {tensor.name: numpy_helper.to_array(tensor) for tensor in whole.initializer}
    assert len(part.initializer) > 50
    for tensor in part.initializer:
        np.testing.assert_array_equal(numpy_helper.to_array(tensor), weights[tensor.name])
    for ours, theirs in zip(part.node, whole.node, strict=False):
        assert (ours.op_type, list(ours.input), ours.attribute) == (
            theirs.op_type,
            list(theirs.input),
            theirs.attribute,
        )


@pytest.mark.parametrize("side", [128, 64])
def test_a_batch_gives_what_each_gives_alone(side: int) -> None:
    pictures = [load(photo(100 * number, 200, 150)) for number in range(5)]
    sized = Cells(side)
    grids = sized.grids(np.stack([square(picture) for picture in pictures]))
    assert grids.shape == (5, (side // 16) ** 2, CHANNELS)
    for grid, picture in zip(grids, pictures, strict=True):
        np.testing.assert_array_equal(grid, sized.extract([picture])[0])
    assert sized.key != Cells(192 - side).key


def test_other_sides_are_refused() -> None:
    with pytest.raises(UsageError, match="128 or 64"):
        method("cells", side=96)


def test_cells_stand_row_by_row_where_they_are_in_the_picture() -> None:
    """A patch put into one corner of a grey page changes the cells of that corner most, whichever corner."""
    page = np.full((256, 256, 3), 128, np.uint8)
    page[::16] = 90  # no margin that would be taken off
    before = cells(page).astype(int)
    for row, column in ((0, 0), (0, 7), (7, 0), (6, 1), (2, 5)):
        changed = page.copy()
        changed[32 * row : 32 * row + 32, 32 * column : 32 * column + 32] = photo(5, 32, 32)
        difference = np.abs(cells(changed).astype(int) - before).sum(axis=1).reshape(GRID, GRID)
        where = np.unravel_index(difference.argmax(), difference.shape)
        assert max(abs(where[0] - row), abs(where[1] - column)) <= 1, (row, column, where)


def test_crops_and_shifts_are_nearer_than_other_pictures() -> None:
    photos = [photo(100 * number, 300, 300) for number in range(8)]
    grids = [cells(pixels) for pixels in photos]
    others = max(made.compare(a, b) for index, a in enumerate(grids) for b in grids[:index])
    for pixels, grid in zip(photos, grids, strict=True):
        assert made.compare(grid, cells(pixels[30:270, 20:260])) > others
        assert made.compare(grid, cells(np.roll(pixels, 40, axis=1)[:, 40:])) > others


def test_margins_and_tilts_are_not_looked_at() -> None:
    """The content is: the same garment on a larger page gives the same cells, but for rounding."""
    shirt = garment("sweater", (180, 40, 60))
    assert made.compare(cells(shirt), cells(np.pad(shirt, ((40, 10), (0, 70), (0, 0)), constant_values=255))) > 0.97
    assert content(load(shirt)).pixels.shape != shirt.shape
    assert square(load(shirt)).shape == (SIDE, SIDE, 3)

"""Cells of a map: they share out the points, stand for them, and say what they speak for."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from dreamer.mapping import cells as grid_cells
from dreamer.mapping.cells import Cell


def points(count, channels=6, seed=0):
    generator = np.random.default_rng(seed)
    return (
        generator.uniform(size=(count, 2)).astype(np.float32),
        generator.normal(size=(count, channels)).astype(np.float32),
    )


@given(st.integers(0, 200), st.integers(1, 25), st.integers(0, 5))
def test_cells_share_out_all_points_row_by_row(count, grid, seed):
    positions, activations = points(count, seed=seed)
    found = grid_cells.cells(positions, activations, grid, least=1)
    members = np.concatenate([cell.members for cell in found]) if found else np.zeros(0)
    assert sorted(members) == list(range(count))
    places = [(cell.row, cell.column) for cell in found]
    assert places == sorted(set(places))
    for cell in found:
        for x, y in positions[cell.members]:
            assert cell.column <= x * grid <= cell.column + 1
            assert cell.row <= y * grid <= cell.row + 1
        assert cell.count == len(cell.members)
        assert cell.grid == grid


@given(st.integers(1, 12))
def test_cells_with_too_few_points_are_left_out_and_no_others(least):
    positions, activations = points(100)
    everything = grid_cells.cells(positions, activations, 4, least=1)
    found = grid_cells.cells(positions, activations, 4, least=least)
    assert [(cell.row, cell.column) for cell in found] == [
        (cell.row, cell.column) for cell in everything if cell.count >= least
    ]


def test_the_edges_belong_to_the_map():
    corners = np.array([[0, 0], [1, 0], [0, 1], [1, 1]], np.float32)
    found = grid_cells.cells(corners, np.eye(4, dtype=np.float32), 3, least=1)
    assert [(cell.row, cell.column, *cell.members) for cell in found] == [(0, 0, 0), (0, 2, 1), (2, 0, 2), (2, 2, 3)]


def test_a_cell_stands_for_its_points_by_their_mean_and_those_nearest_come_first():
    _, activations = points(40)
    activations[7] *= 1000  # Long, so the mean has its direction, and it comes first.
    activations[9] = 0
    (cell,) = grid_cells.cells(np.full((40, 2), 0.5, np.float32), activations, 1, least=40)
    assert np.allclose(cell.mean, activations.mean(axis=0), rtol=1e-5)
    assert cell.mean.dtype == np.float32
    assert cell.members[0] == 7
    lengths = np.maximum(np.linalg.norm(activations, axis=1) * np.linalg.norm(cell.mean), 1e-30)
    cosines = (activations @ cell.mean / lengths)[cell.members]
    assert (np.diff(cosines) <= 1e-6).all()


@pytest.mark.parametrize("count", [0, 1, 59, 60, 499, 1000, 2000, 10_000, 100_000, 1_000_000])
def test_levels_go_from_coarse_to_fine_and_their_cells_are_trusted(count):
    levels = grid_cells.grids(count)
    assert list(levels) == sorted(set(levels))
    kept = [grid_cells.least(count, grid) for grid in levels]
    assert kept == sorted(kept, reverse=True)
    assert all(1 <= one <= 10 for one in kept)
    if count >= 2000:
        assert kept[0] == 10


def test_finer_levels_go_with_more_points():
    finest = [grid_cells.grids(count)[-1] for count in range(0, 200_000, 50)]
    assert finest == sorted(finest)


@pytest.mark.parametrize("shift", [0.0, 3.0])
def test_whitened_activations_have_the_identity_for_second_moments(shift):
    _, activations = points(5000, channels=8)
    activations = (activations @ np.random.default_rng(1).normal(size=(8, 8)) + shift).astype(np.float32)
    found = grid_cells.whitening(activations)
    moments = activations.T.astype(np.float64) @ activations / len(activations)
    ridge = 1e-3 * np.trace(moments) / 8 * np.eye(8)
    assert np.allclose(found @ (moments + ridge), np.eye(8), atol=1e-4)
    assert np.allclose(found, found.T, rtol=1e-4)
    # The root of it whitens what has the ridge for noise.
    half = np.linalg.cholesky(found.astype(np.float64))
    assert np.allclose(half.T @ (moments + ridge) @ half, np.eye(8), atol=1e-4)


@pytest.mark.parametrize("count", [1, 3])
def test_fewer_points_than_channels_can_be_whitened_and_silent_ones_too(count):
    _, activations = points(count, channels=12)
    assert np.isfinite(grid_cells.whitening(activations)).all()
    assert np.isfinite(grid_cells.whitening(np.zeros((count, 12), np.float32))).all()


def test_labels_are_the_mean_attributions_of_the_members_best_first():
    attributions = np.array([[1, 0, 5, -2], [3, 0, 1, -2], [100, 100, 100, 100]], np.float32)
    cell = Cell(4, 1, 2, np.array([1, 0]), np.zeros(3, np.float32))
    assert grid_cells.labels(attributions, cell) == [(2, 3.0), (0, 2.0), (1, 0.0), (3, -2.0)]
    assert grid_cells.labels(attributions, cell, top=1) == [(2, 3.0)]
    # Of classes that are as good, the first.
    assert [index for index, _ in grid_cells.labels(np.zeros((3, 9), np.float32), cell)] == [0, 1, 2, 3, 4]

"""Layouts: what is alike stays together, what is odd does no harm, and the same seed gives the same map."""

from __future__ import annotations

import importlib.util
import logging
import sys
import warnings
from types import ModuleType

import numpy as np
import pytest

from dreamer.errors import MissingExtraError, SettingsError
from dreamer.mapping import layout as layouts

needs_tsne = pytest.mark.skipif(
    importlib.util.find_spec("openTSNE") is None, reason="openTSNE is not installed; the extra 'embedding' brings it"
)
needs_umap = pytest.mark.skipif(importlib.util.find_spec("umap") is None, reason="umap-learn is not installed")
METHODS = [pytest.param("tsne", marks=needs_tsne), pytest.param("umap", marks=needs_umap)]


def blobs(each=60, channels=16, seed=0):
    """Three heaps of points in directions far apart, and which heap each is of."""
    generator = np.random.default_rng(seed)
    centres = 5 * np.eye(channels)[:3]
    points = centres.repeat(each, axis=0) + generator.normal(size=(3 * each, channels))
    return points.astype(np.float32), np.arange(3).repeat(each)


@pytest.mark.parametrize("how", METHODS)
def test_heaps_stay_heaps_and_neighbours_stay_neighbours(how):
    from sklearn.manifold import trustworthiness

    points, heaps = blobs()
    found = layouts.layout(points, how)
    assert found.dtype == np.float32
    assert found.min() >= 0
    assert found.max() <= 1
    assert trustworthiness(points, found, n_neighbors=10, metric="cosine") > 0.85
    apart = np.linalg.norm(found[:, None] - found, axis=2)
    np.fill_diagonal(apart, np.inf)
    assert (heaps[apart.argmin(axis=1)] == heaps).mean() > 0.99
    centres = np.stack([found[heaps == heap].mean(axis=0) for heap in range(3)])
    spread = max(found[heaps == heap].std() for heap in range(3))
    assert min(np.linalg.norm(centres[one] - centres[one - 1]) for one in range(3)) > 2 * spread


@pytest.mark.parametrize("how", METHODS)
def test_the_same_seed_gives_the_same_map_to_the_byte(how):
    points, _ = blobs(20)
    first, again, other = (layouts.layout(points, how, seed=seed).tobytes() for seed in (1, 1, 2))
    assert first == again
    assert first != other


@needs_tsne
def test_lengths_do_not_matter_for_it_is_the_cosine_that_is_compared():
    points, _ = blobs(20)
    factors = 2.0 ** np.random.default_rng(0).integers(-3, 4, (60, 1))
    assert np.array_equal(layouts.layout(points), layouts.layout((points * factors).astype(np.float32)))


@pytest.mark.parametrize("points", [0, 1, 2, 3])
def test_few_points_need_no_library(points, monkeypatch):
    monkeypatch.setitem(sys.modules, "openTSNE", None)
    monkeypatch.setitem(sys.modules, "umap", None)
    for how in layouts.METHODS:
        found = layouts.layout(np.eye(points, 5, dtype=np.float32), how)
        assert found.shape == (points, 2)
        assert np.isfinite(found).all()
        assert len(np.unique(found, axis=0)) == points


@needs_tsne
@pytest.mark.parametrize("points", [4, 5, 7, 12])
def test_a_handful_of_points_is_enough_and_nothing_is_said(points, caplog, capfd):
    with warnings.catch_warnings(), caplog.at_level(logging.WARNING):
        warnings.simplefilter("error")
        found = layouts.layout(np.random.default_rng(points).normal(size=(points, 6)).astype(np.float32))
    assert np.isfinite(found).all()
    assert caplog.text == ""
    assert capfd.readouterr() == ("", "")


@needs_tsne
@pytest.mark.parametrize("how_many_silent", [1, 25, 49])
def test_points_that_are_silent_lie_together(how_many_silent):
    points = np.ones((50, 4), np.float32) + np.random.default_rng(0).normal(size=(50, 4)).astype(np.float32) / 9
    points[:how_many_silent] = 0
    found = layouts.layout(points)
    assert np.isfinite(found).all()
    is_silent = np.arange(50) < how_many_silent
    apart = np.linalg.norm(found[:, None] - found, axis=2)
    np.fill_diagonal(apart, np.inf)
    # One alone has only others for neighbours.
    assert how_many_silent in (1, 49) or (is_silent[apart.argmin(axis=1)] == is_silent).all()


@pytest.mark.parametrize("value", [0, 1, -3])
@pytest.mark.parametrize("points", [1, 3, 4, 100])
def test_points_that_are_all_alike_lie_in_the_middle(points, value):
    assert np.array_equal(layouts.layout(np.full((points, 6), value, np.float32)), np.full((points, 2), 0.5))


@needs_tsne
def test_one_channel_is_enough():
    points = np.array([[1], [2], [-1], [-3], [0], [5]], np.float32)
    assert np.isfinite(layouts.layout(points)).all()


@pytest.mark.parametrize("odd", [np.nan, np.inf])
def test_what_is_no_number_is_refused(odd):
    points, _ = blobs(3)
    points[4, 2] = odd
    with pytest.raises(SettingsError, match="what is no number"):
        layouts.layout(points)


def stand_in(monkeypatch):
    """A module that stands for UMAP: it notes what it is asked for, and takes the first two channels."""
    asked = {}

    class Stand:
        def __init__(self, **options):
            asked.update(options)

        def fit_transform(self, points):
            warnings.warn("n_jobs value 1 overridden", stacklevel=1)
            return points[:, :2]

    module = ModuleType("umap")
    module.UMAP = Stand
    module.__spec__ = importlib.util.spec_from_loader("umap", None)
    monkeypatch.setitem(sys.modules, "umap", module)
    return asked


@pytest.mark.parametrize(("each", "neighbours"), [(60, 20), (3, 8)])
def test_umap_is_asked_as_in_the_article_and_its_warnings_stay_inside(each, neighbours, monkeypatch):
    asked = stand_in(monkeypatch)
    points, _ = blobs(each)
    found = layouts.layout(points, "umap", seed=7)
    assert asked == {"metric": "cosine", "n_neighbors": neighbours, "min_dist": 0.01, "random_state": 7, "n_jobs": 1}
    directions = points / np.linalg.norm(points, axis=1, keepdims=True)
    assert np.allclose(found, layouts.normalized(directions[:, :2]), atol=1e-6)


@pytest.mark.parametrize(
    ("how", "command"), [("tsne", r"pip install 'deepdreamer\[embedding\]'"), ("umap", "pip install umap-learn")]
)
def test_what_is_missing_is_named_with_the_way_to_install_it(how, command, monkeypatch):
    monkeypatch.setattr(layouts, "find_spec", lambda name: None)
    for call in (lambda: layouts.check(how), lambda: layouts.layout(blobs(5)[0], how)):
        with pytest.raises(MissingExtraError, match=command):
            call()


@pytest.mark.parametrize("how", ["pca", "", "coordinates.csv", "umap "])
def test_what_is_no_layout_is_refused_early(how):
    with pytest.raises(SettingsError, match="is no layout: expected tsne, umap, or an .npy file"):
        layouts.check(how)


def test_coordinates_may_come_from_a_file(tmp_path):
    file = tmp_path / "mine.npy"
    coordinates = np.random.default_rng(0).normal(size=(15, 2)) * [3, 100]
    np.save(file, coordinates)
    layouts.check(str(file))
    found = layouts.layout(blobs(5)[0], str(file))
    assert np.allclose(found, layouts.normalized(coordinates))
    with pytest.raises(SettingsError, match=r"has the shape \(15, 2\); expected \(30, 2\)"):
        layouts.layout(blobs(10)[0], str(file))
    np.save(file, np.full((15, 2), np.nan))
    with pytest.raises(SettingsError, match="no number"):
        layouts.layout(blobs(5)[0], str(file))
    np.save(file, np.array([{}]), allow_pickle=True)
    with pytest.raises(SettingsError, match="cannot be read"):
        layouts.layout(blobs(5)[0], str(file))
    file.unlink()
    with pytest.raises(SettingsError, match="is no file"):
        layouts.check(str(file))


def test_percentiles_and_a_margin_become_the_edges_and_outliers_lie_on_them():
    points = np.stack([np.arange(1001.0), np.arange(1001.0)[::-1]], axis=1)
    found = layouts.normalized(points)
    # From 10 - 98 to 990 + 98.
    assert np.allclose(found[:, 0], (np.arange(1001) + 88) / 1176, atol=1e-6)
    assert np.allclose(found[:, 0], 1 - found[:, 1], atol=1e-6)
    far = layouts.normalized(np.concatenate([points, [[1e9, -1e9]]]))
    assert far[-1].tolist() == [1, 0]
    assert np.allclose(far[:-1], found, atol=0.01)


def test_new_points_lie_among_their_neighbours():
    points, heaps = blobs()
    positions = np.random.default_rng(0).uniform(size=(len(points), 2)).astype(np.float32) / 10 + 0.3 * heaps[:, None]
    positions = positions.astype(np.float32)
    more, of = blobs(2000, seed=1)
    found = layouts.place(more, points, positions)
    assert found.shape == (6000, 2)
    for heap in range(3):
        is_amid = (found[of == heap] >= 0.3 * heap) & (found[of == heap] <= 0.3 * heap + 0.1)
        assert is_amid.all(axis=1).mean() > 0.95


def test_the_nearest_five_are_weighted_by_their_cosine():
    angles = np.array([0, 0.3, -0.6, 0.9, -1.2, 1.5, np.pi])
    points = np.stack([np.cos(angles), np.sin(angles)], axis=1).astype(np.float32)
    positions = np.random.default_rng(0).uniform(size=(7, 2)).astype(np.float32)
    weights = np.cos(angles[:5])
    expected = (weights[:, None] * positions[:5]).sum(axis=0) / weights.sum()
    assert np.allclose(layouts.place(points[:1] * 7, points, positions), expected, atol=1e-6)
    # An opposite, alone, is all there is.
    assert np.allclose(layouts.place(-points[:1], points[:1], positions[:1]), positions[:1])
    assert np.allclose(layouts.place(np.zeros((1, 2), np.float32), points[:2], positions), positions[:2].mean(axis=0))
    assert layouts.place(np.zeros((0, 2), np.float32), points, positions).shape == (0, 2)

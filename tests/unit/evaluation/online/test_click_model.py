"""The click model finds the examination and the attraction that clicks were made of."""

import numpy as np
import pytest

from evaluation.online.click_model import Sightings, fit

TRUE = 1 / np.arange(1, 11) ** 0.7


def sightings(seed: int, times: int) -> tuple[Sightings, np.ndarray]:
    """Hits of 50 queries, each mostly near its place, clicked by the position-based model."""
    rng = np.random.default_rng(seed)
    attraction = rng.beta(1, 4, size=(50, 12))
    order = np.argsort(np.arange(12) + rng.normal(0, 3, size=(times, 50, 12)), axis=2)[:, :, :10]
    pairs = (order + 12 * np.arange(50)[None, :, None]).ravel()
    positions = np.broadcast_to(np.arange(10), order.shape).ravel()
    clicked = rng.random(len(pairs)) < TRUE[positions] * attraction.ravel()[pairs]
    key, inverse = np.unique(pairs * 10 + positions, return_inverse=True)
    counted = Sightings(
        pair=key // 10,
        position=key % 10,
        shown=np.bincount(inverse).astype(np.float64),
        clicked=np.bincount(inverse, clicked).astype(np.float64),
    )
    return counted, attraction.ravel()


def test_the_position_bias_is_found_within_a_tenth() -> None:
    counted, attraction = sightings(seed=1, times=2_000)
    model = fit(counted, positions=10)
    assert model.examination == pytest.approx(TRUE, rel=0.1)
    assert np.corrcoef(model.attraction, attraction)[0, 1] > 0.95


def test_clicks_explain_themselves_where_everything_is_examined() -> None:
    pair, position = np.array([0, 0, 1, 1]), np.array([0, 1, 0, 1])
    model = fit(
        Sightings(
            pair=pair,
            position=position,
            shown=np.full(4, 100.0),
            clicked=np.array([80.0, 80.0, 20.0, 20.0]),
        ),
        positions=3,
    )
    assert model.examination == pytest.approx([1, 1, 0], abs=0.01)
    assert model.attraction == pytest.approx([0.8, 0.2], abs=0.01)


def test_nothing_is_made_of_nothing() -> None:
    none = np.empty(0, np.int64)
    model = fit(
        Sightings(pair=none, position=none, shown=np.empty(0), clicked=np.empty(0)), positions=3
    )
    assert not model.examination.any()
    assert len(model.attraction) == 0

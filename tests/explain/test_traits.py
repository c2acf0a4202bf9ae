import numpy as np
import pytest

from facemood.explain.regions import REGIONS
from facemood.explain.traits import MOVES, agreement, traits_of
from facemood.facs import PROTOTYPES
from facemood.labels import EXPRESSIONS


def test_every_expression_and_every_unit_is_known() -> None:
    assert set(PROTOTYPES) == set(EXPRESSIONS)
    assert {unit for units in PROTOTYPES.values() for unit in units} <= set(MOVES)
    assert {region for regions in MOVES.values() for region in regions} <= set(REGIONS) - {"outside"}


def test_traits_are_those_of_the_prototypes() -> None:
    assert set(traits_of("surprise")) == {"brows", "forehead", "eyes", "mouth", "chin"}
    assert "nose" in traits_of("disgust")
    assert traits_of("bored") == ()


def test_agreement_is_the_share_of_the_attribution_in_the_regions_of_the_expression() -> None:
    shares, areas = np.zeros(8, np.float32), np.full(8, 1 / 8, np.float32)
    shares[REGIONS.index("mouth")] = 0.75
    shares[REGIONS.index("outside")] = 0.25
    assert agreement(shares, areas, "happy") == pytest.approx((0.75, 3 / 8))
    assert np.isnan(agreement(shares, areas, "neutral")).all()

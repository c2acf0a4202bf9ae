import numpy as np
import pytest

from facemood.errors import ModelError
from facemood.models import ModelSession
from facemood.models.activation import activation_maps
from facemood.models.registry import find_model


def test_a_model_without_a_feature_map_is_reported() -> None:
    session = ModelSession(find_model("landmarks"), device="cpu")
    with pytest.raises(ModelError, match=r"'landmarks' has no output features, points\.weights; it has points, pres"):
        activation_maps(session, np.zeros((1, 48, 48), np.uint8), head="points")

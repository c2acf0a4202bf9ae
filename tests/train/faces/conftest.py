import pytest

from facemood.train.faces.material import Material
from tests.train.faces.made import made_material


@pytest.fixture
def material() -> Material:
    return made_material()

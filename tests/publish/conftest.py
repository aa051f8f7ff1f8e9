import pytest

from pipelines.identity.keyring import new_ring


@pytest.fixture
def home(tmp_path):
    (tmp_path / "home").mkdir()
    return tmp_path / "home"


@pytest.fixture
def ring(tmp_path):
    return new_ring(tmp_path / "keys" / "ring.json")

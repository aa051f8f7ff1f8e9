"""Code lists for display."""

import pytest

from policy import PolicyError
from policy.codes import SHIPPED, load_codes
from policy.parameters import AREAS, PROGRAMMES, SOURCES

CODES = load_codes()


def test_guangdong_has_21_cities_and_122_counties():
    cities = [code for code in CODES.divisions.names if len(code) == 4]
    assert len(cities) == 21
    assert len(CODES.counties()) == 122 + 2
    assert all(code[:4] in cities for code in CODES.counties())


def test_places_are_named_with_their_city():
    assert CODES.place_name("440103") == "广州市荔湾区"
    assert CODES.place_name("440781102") == "江门市台山市"
    assert CODES.place_name("441900") == "东莞市"  # no counties
    assert CODES.place_name("999999") == "999999"


def test_lists_name_every_code_of_the_program():
    assert set(CODES.programmes.names) == set(PROGRAMMES)
    assert set(CODES.areas.names) == set(AREAS)
    assert set(CODES.sources.names) == set(SOURCES)
    assert CODES.sources.name("banks") == "银行"
    assert list(CODES.states.names.values()) == ["新增", "持续", "变化", "已消除", "待复核"]


def test_relations_cover_those_that_make_a_family():
    for code in ["01", "02", *(str(n) for n in (10, 11, 12)), *(str(n) for n in range(20, 40))]:
        assert code in CODES.relations.names
    assert CODES.relations.name("10") == "配偶" and CODES.relations.name("27") == "养子或继子"


@pytest.mark.parametrize(
    ("right", "wrong"),
    [("[states.names]", "[states.labels]"), ("[states]", "[moods]"), ('new = "新增"', 'new = ""')],
)
def test_a_mistake_in_the_lists_is_refused(tmp_path, right, wrong):
    path = tmp_path / "codes.toml"
    path.write_text(SHIPPED.read_text(encoding="utf-8").replace(right, wrong, 1), encoding="utf-8")
    with pytest.raises(PolicyError):
        load_codes(path)

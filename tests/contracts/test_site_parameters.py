"""A site's parameters: read from TOML, refused in one sentence."""

from pathlib import Path

import pytest
from tests.published import UNITS

from coldaisle_contracts.errors import InputError
from coldaisle_contracts.site_parameters import Site, load_site

PUBLISHED = {
    "inrow-13": (11.94, 15.89, 20.00, 27.34),
    "inrow-15": (11.68, 15.36, 20.00, 27.21),
    "inrow-23": (11.13, 14.94, 20.00, 26.30),
    "inrow-25": (11.24, 15.34, 20.00, 26.80),
}


def test_defaults_are_the_published_medians_of_every_unit() -> None:
    """If the scenario names no site, the units have the medians of the published week."""
    assert {name: unit.medians for name, unit in Site().units.items()} == PUBLISHED
    assert list(UNITS) == list(PUBLISHED)


def test_what_is_left_out_keeps_its_default(tmp_path: Path) -> None:
    """A file with one parameter changes only that parameter."""
    path = tmp_path / "site.toml"
    path.write_text("drift = 0.5\n[season]\ndaily = 2\n")
    site = load_site(path)
    assert site.model_copy(update={"drift": Site().drift, "season": Site().season}) == Site()
    assert (site.drift, site.season.daily, site.season.weekly) == (0.5, 2, Site().season.weekly)


@pytest.mark.parametrize(
    ("text", "expected"),
    [
        ("drft = 1", "site.toml: key drft: remove it, because no such key exists"),
        ("drift = -1", "site.toml: key drift is -1: it should be greater than or equal to 0"),
        ("coupling = 1.1", "site.toml: key coupling is 1.1: it should be less than or equal to 1"),
        ("noise = [0.1, 0.1, 0.1]", "site.toml: key noise.3: add it, because it is required"),
        ("autocorrelation = [0, 0, 0, -1]", "site.toml: key autocorrelation.3 is -1: it should be greater than -1"),
        ("[season]\npeak_hour = 24", "site.toml: key season.peak_hour is 24: it should be less than 24"),
        ("[medians]\ninrow-13 = [12, 16, 20, 'x']", "site.toml: key medians.inrow-13.3 is 'x': write a number"),
        ("[medians]\ninrow-13 = [12, 16, 27, 20]", "site.toml: key medians.inrow-13 is (12.0, 16.0, 27.0, 20.0): make coolant out warmer"),
        ("[broker]\nplaintext = false", "site.toml: key broker.plaintext is False: leave it out, or give tls, because a broker needs a listener"),
        ("[broker]\nclient_certificates = true", "site.toml: key broker.client_certificates is True: leave it out, or give tls"),
        ("[broker]\ntls = '1.1'", "site.toml: key broker.tls is '1.1': "),
        ("[[devices]]\naddress = 9\ntls = true", "site.toml: key devices.0.tls is True: give broker.tls, or leave this out"),
        ("[[devices]]\naddress = 9\ntls = false\n[broker]\ntls = '1.3'\nplaintext = false",
         "site.toml: key devices.0.tls is False: leave it out, or give broker.plaintext = true"),
        ("drift =", "site.toml: write valid TOML (Invalid value (at "),
    ],
)  # fmt: skip
def test_what_is_wrong_is_one_sentence(tmp_path: Path, text: str, expected: str) -> None:
    """An unknown key, a value out of bounds and a unit that does not cool are refused with file, key, value and remedy."""
    path = tmp_path / "site.toml"
    path.write_text(text, encoding="utf-8")
    with pytest.raises(InputError) as caught:
        load_site(path)
    assert str(caught.value).startswith(f"{tmp_path}/{expected}")


def test_missing_file_names_the_command_that_writes_one(tmp_path: Path) -> None:
    """A missing site file is refused with the command that writes one."""
    with pytest.raises(InputError, match=r"none\.toml: .*coldaisle fit"):
        load_site(tmp_path / "none.toml")

"""The format of secrets, their checksums, and peppers."""

import hmac
import re

import pytest

from apikeys import tokens
from apikeys.tokens import Environment, Peppers
from tests.support.domain import at_once


def test_a_secret_has_brand_environment_and_forty_characters() -> None:
    secret = tokens.generate("sig", Environment.LIVE)

    assert re.fullmatch(r"sig_live_[0-9A-Za-z]{40}", secret)
    assert tokens.is_well_formed(secret)


def test_ten_thousand_secrets_differ() -> None:
    assert len({tokens.generate("sig", Environment.TEST) for _ in range(10_000)}) == 10_000


def test_the_displayed_prefix_gives_away_four_random_characters() -> None:
    secret = tokens.generate("sig", Environment.LIVE)

    assert tokens.displayed_prefix(secret) == secret[: len("sig_live_") + 4]


def test_the_checksum_is_the_crc_32_in_base_62() -> None:
    # CRC-32 of these 43 characters is 0x50bde936: 1·62⁵ + 29·62⁴ + 41·62³ + 53·62² + 24·62 + 42.
    body = "sig_live_" + "0" * 34

    assert tokens.checksum(body) == "1TfrOg"
    assert tokens.is_well_formed(body + tokens.checksum(body))


@pytest.mark.parametrize("position", range(9, 49))
def test_each_mistyped_character_is_noticed(position: int) -> None:
    secret = tokens.generate("sig", Environment.LIVE)
    other = "A" if secret[position] != "A" else "B"

    assert not tokens.is_well_formed(secret[:position] + other + secret[position + 1 :])


@pytest.mark.parametrize(
    "spoil",
    [
        lambda s: s[:-1],
        lambda s: s + "0",
        lambda s: s.upper(),
        lambda s: s.swapcase(),
        lambda s: " " + s,
        lambda s: s + "\n",
        lambda s: s.replace("_live_", "_prod_"),
        lambda s: s.replace("_live_", "_test_"),
        lambda s: s.replace("sig", "ſig"),
        lambda s: s[:20] + "\x00" + s[21:],
        lambda s: s[:20] + "١" + s[21:],
        lambda _: "",
        lambda _: "sig_live_",
        lambda s: s * 1000,
    ],
)
def test_anything_else_is_malformed(spoil: "object") -> None:
    secret = tokens.generate("sig", Environment.LIVE)

    assert not tokens.is_well_formed(spoil(secret))  # type: ignore[operator]


def test_secrets_of_an_earlier_brand_stay_well_formed() -> None:
    assert tokens.is_well_formed(tokens.generate("sk", Environment.LIVE))


def test_the_scanning_pattern_finds_a_secret_in_text() -> None:
    secret = tokens.generate("sig", Environment.TEST)

    assert re.findall(tokens.scanning_pattern("sig"), f'key = "{secret}"') == [secret]


def test_digests_depend_on_the_pepper_and_are_32_bytes() -> None:
    peppers = tokens.read_peppers(f"2:{'b' * 32},1:{'a' * 32}")
    first, second = peppers.digests("sig_live_x")

    assert peppers.newest == 2
    assert len(first) == len(second) == 32
    assert first != second
    assert peppers.digest("sig_live_x", 1) == second


def test_digests_are_hmacs_for_many_threads_at_once() -> None:
    peppers = tokens.read_peppers(f"1:{'p' * 32}")
    made = [tokens.generate("sig", Environment.LIVE) for _ in range(200)]

    found = at_once([lambda: [peppers.digest(secret, 1) for secret in made]] * 6)

    assert found == [[hmac.digest(b"p" * 32, s.encode(), "sha256") for s in made]] * 6


def test_the_digest_of_a_secret_is_what_every_release_has_stored() -> None:
    """Any other algorithm would shut out every key that there is."""
    body = "sig_live_" + "0" * 34
    peppers = tokens.read_peppers(f"1:{'a' * 32}")

    stored = "ac3cef430cb8f2c1e5724f0cc95b912510ec81870c2e87647f86e2d68bc0fc86"
    assert peppers.digest(body + tokens.checksum(body), 1).hex() == stored


def test_peppers_do_not_show_their_values() -> None:
    peppers = Peppers(newest=1, values={1: b"very secret pepper of thirty-two"})

    assert "very secret" not in repr(peppers) + str(peppers)


@pytest.mark.parametrize(
    "text",
    [
        "",
        "   ",
        "1:short",
        "x" * 40,
        f"0:{'a' * 32}",
        f"1:{'a' * 32},1:{'b' * 32}",
        f"-1:{'a' * 32}",
    ],
)
def test_weak_or_unnumbered_peppers_are_refused_without_showing_them(text: str) -> None:
    with pytest.raises(ValueError, match="pepper") as refusal:
        tokens.read_peppers(text)

    assert "aaaa" not in str(refusal.value)

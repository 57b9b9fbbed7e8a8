"""Profiles are read strictly, and those that come with us are what they say."""

from __future__ import annotations

from pathlib import Path

import pytest

from twinclass_media.testing.netem import ProfileError, load_profile, profile_names

HEAD = 'summary = "s"\nsource = "t"\n'
NAMES = {
    *("city", "county", "weak", "4g-weak", "cut-15s", "udp-blocked"),
    *("loss-5", "loss-15", "rtt-300", "rate-100k", "step"),
}


def test_the_profiles_are_there_and_name_their_sources() -> None:
    assert set(profile_names()) == NAMES
    for name in NAMES:
        profile = load_profile(name)
        assert profile.summary
        assert profile.source


def test_weak_is_the_weak_network_of_the_acceptance_scenarios() -> None:
    for way in (load_profile("weak").uplink, load_profile("weak").downlink):
        assert (way.delay_ms * 2, way.loss, way.jitter_ms) == (80, 0.03, 30)
        assert way.rate_bps == 1_500_000


def test_a_county_school_shares_its_line() -> None:
    county = load_profile("county")
    assert county.shared
    assert (county.uplink.rate_bps, county.downlink.rate_bps) == (1_000_000, 4_000_000)


@pytest.mark.parametrize(
    ("text", "told"),
    [
        ("[both]\nlos = 0.1\n", "los"),
        ("[both]\nloss = 3\n", "$.both.loss"),
        ("[both]\nloss = '3 %'\n", "$.both.loss"),
        ("[both]\ndelay_ms = -1\n", "$.both.delay_ms"),
        ("[both]\nrate_bps = 1000\n", "queue_ms"),
        ("[both]\nqueue_ms = 100\n", "queue_ms"),
        ("[both]\nrate_bps = 5000\nqueue_ms = 1\nqueue_bytes = 1\n", "queue_bytes"),
        ("[both]\nqueue_bytes = 4194305\nrate_bps = 5000\n", "$.both.queue_bytes"),
        ("[both]\nrate_bps = 5000\nqueue_ms = 1\n[both.wander]\n", "$.both.wander"),
        ("[both.wander]\nlow_bps = 9000\nhigh_bps = 8000\nevery_ms = 100\n", "$.both.wander"),
        ("[both.bursts]\nshare = 0.5\nlength = 0.5\n", "$.both.bursts.length"),
        ("[both.bursts]\nshare = 1.0\nlength = 5\n", "share"),
        ("[both.bursts]\nshare = 0.9\nlength = 2\n", "longer"),
        ("[both]\nrepeat_s = 5\n", "repeat_s"),
        ("[[both.timetable]]\nat_s = 5\n[[both.timetable]]\nat_s = 5\n", "order"),
        ("[[both.timetable]]\nat_s = 5\nspeed = 1\n", "$.both.timetable[0]"),
        ("[up]\nloss = 0.1\n", "up and down"),
        ("[both]\n[up]\n[down]\n", "up and down"),
        ("[both\n", "TOML"),
        ("", "up and down"),
    ],
)
def test_what_cannot_be_used_is_refused_with_file_and_field(
    text: str, told: str, tmp_path: Path
) -> None:
    file = tmp_path / "mine.toml"
    file.write_text(HEAD + text, "utf-8")
    with pytest.raises(ProfileError) as caught:
        load_profile(str(file))
    assert str(caught.value).startswith("mine.toml: ")
    assert told.lower() in str(caught.value).lower()


@pytest.mark.parametrize("data", [b"\xff\xfe", b"#" * 300_000])
def test_a_file_that_is_no_text_or_too_long_is_refused(data: bytes, tmp_path: Path) -> None:
    file = tmp_path / "mine.toml"
    file.write_bytes(data)
    with pytest.raises(ProfileError, match=r"mine\.toml"):
        load_profile(str(file))


@pytest.mark.parametrize(
    "name",
    ["nowhere", "../weak", "/etc/passwd", "nowhere.toml", "", "a/\0.toml", "x" * 5000 + ".toml"],
)
def test_an_unknown_name_is_answered_with_the_known_ones(name: str) -> None:
    with pytest.raises(ProfileError, match="there are: 4g-weak, city"):
        load_profile(name)

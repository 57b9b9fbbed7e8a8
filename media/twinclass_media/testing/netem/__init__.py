"""A network to test on, seeded and in virtual time; see docs/netem.md."""

from twinclass_media.testing.netem.link import Link, Path, Stream
from twinclass_media.testing.netem.profile import (
    Profile,
    ProfileError,
    Way,
    load_profile,
    profile_names,
)
from twinclass_media.testing.netem.record import LinkStatistics

__all__ = [
    "Link",
    "LinkStatistics",
    "Path",
    "Profile",
    "ProfileError",
    "Stream",
    "Way",
    "load_profile",
    "profile_names",
]

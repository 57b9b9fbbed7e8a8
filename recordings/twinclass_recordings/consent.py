"""A recording without some of those who are in it. Core.

Who agreed to be recorded may agree no longer. The recording goes when its time is over; what is
made of it until then, clips and exports, is made without them.
"""

from __future__ import annotations

from collections.abc import Set as AbstractSet

from msgspec.structs import replace

from twinclass_recordings.manifest import Manifest


def without(manifest: Manifest, hidden: AbstractSet[str]) -> Manifest:
    """Returns a manifest in which these participants are neither seen, heard nor spoken of.

    It has no cover then: whose picture that is nobody noted.
    """
    if not hidden:
        return manifest
    return replace(
        manifest,
        tracks=tuple(one for one in manifest.tracks if one.participant not in hidden),
        chapters=tuple(one for one in manifest.chapters if one.participant not in hidden),
        marks=tuple(one for one in manifest.marks if one.participant not in hidden),
        people=tuple(one for one in manifest.people if one.id not in hidden),
        presence=tuple(one for one in manifest.presence if one.participant not in hidden),
        cover="",
    )

"""A recording's manifest: what is on disk, and what the lesson's log says of it. Core."""

from __future__ import annotations

from msgspec.structs import replace

from twinclass_recordings import manifest as m
from twinclass_recordings.assemble import Media
from twinclass_recordings.chapters import Happened, happened
from twinclass_recordings.losses import losses
from twinclass_recordings.playlists import can_be_listed
from twinclass_server.recording.about import About
from twinclass_signaling.messages import Event


def manifest_of(
    kept: About, media: Media, events: list[Event], state: m.State, keep_until: str
) -> m.Manifest:
    """Returns what a lesson's files and its log say together.

    Args:
        kept: the lesson; of one that goes on, ``closed_at`` is now.
        media: what is on disk.
        events: its log.
        state: whether it goes on.
        keep_until: ISO 8601 date, empty while nobody knows.
    """
    taught = max(media.duration_s, kept.closed_at - kept.opened_at)
    # Of a lesson that goes on the disk has a little less than has happened: who came in just now
    # is here, and what was missed until then is known.
    told = happened(events, kept.plan, kept.people, media.origin_unix, taught)
    duration = taught if state == "closed" else media.duration_s
    tracks = media.tracks if state == "closed" else _with_playlists(media)
    lost = losses(events, kept.plan, kept.opened_at, kept.closed_at)
    named = _named(tracks, told) | {room.participant for room in lost.rooms}
    made = m.Manifest(
        lesson=kept.recording,
        title=kept.plan.title,
        origin_unix=media.origin_unix,
        duration_s=round(duration, 3),
        state=state,
        tracks=tracks,
        subtitle=kept.plan.subtitle,
    )
    return replace(
        made,
        chapters=told.chapters,
        marks=told.marks,
        people=tuple(person for person in told.people if person.id in named),
        presence=told.presence,
        losses=lost,
        documents=told.documents,
        keep_until=keep_until,
    )


def _with_playlists(media: Media) -> tuple[m.Track, ...]:
    """A lesson that goes on has playlists too; they are made when they are asked for."""

    def listed(run: m.Run) -> m.Run | None:
        if run.parts[0].codec == "vp8":
            return run
        can_be = can_be_listed(run, media.duration_s)
        return replace(run, playlist=f"hls/{run.id}.m3u8") if can_be else None

    return tuple(
        replace(track, runs=tuple(run for run in map(listed, track.runs) if run is not None))
        for track in media.tracks
    )


def parts_of(made: m.Manifest) -> list[m.Part]:
    """Returns all files of all tracks."""
    return [part for track in made.tracks for run in track.runs for part in run.parts]


def _named(tracks: tuple[m.Track, ...], told: Happened) -> set[str]:
    """Who is seen, heard or spoken of; of others a recording says nothing."""
    return (
        {track.participant for track in tracks}
        | {chapter.participant for chapter in told.chapters}
        | {mark.participant for mark in told.marks}
    )

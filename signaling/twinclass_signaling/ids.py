"""Opaque identifiers. None of them carries a name or a number of a person."""

from typing import NewType

LessonId = NewType("LessonId", str)
#: A seat in a lesson: a person's id, or a room's id (a classroom is one participant).
ParticipantId = NewType("ParticipantId", str)
PersonId = NewType("PersonId", str)
RoomId = NewType("RoomId", str)
#: One connection history of one device: survives reconnects for 60 s.
SessionId = NewType("SessionId", str)
#: Position in a lesson's event log; the first event is 1.
EventSeq = NewType("EventSeq", int)

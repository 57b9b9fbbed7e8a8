"""Names of people, as the host knows them: beside the state, never in it."""

from __future__ import annotations

from collections.abc import Mapping

from msgspec import Struct

from twinclass_signaling.desk.view_types import Card
from twinclass_signaling.ids import PersonId


class Known(Struct, frozen=True):
    """What is known of somebody. ``name``: of a pupil her given name only."""

    name: str = ""
    class_name: str = ""


_NOBODY = Known()


class Directory:
    """Answers for whoever is not in it, too: with nothing."""

    def __init__(self, people: Mapping[PersonId, Known]) -> None:
        self._people = people

    def name(self, person: PersonId | None) -> str:
        """Returns how somebody is called."""
        return "" if person is None else self._people.get(person, _NOBODY).name

    def card(self, pupil: PersonId) -> Card:
        """Returns a pupil as staff may know her."""
        known = self._people.get(pupil, _NOBODY)
        return Card(known.name, known.class_name)

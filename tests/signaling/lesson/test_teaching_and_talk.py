"""Handing over, sound check, group work, plan, notes and signals, chat, slides."""

from __future__ import annotations

import itertools

import pytest

from hosting.lesson import Lesson
from hosting.tools import (
    CO_LEAD,
    HELPERS,
    HOMES,
    LEAD,
    POINT,
    ROOM_1,
    ROOM_2,
    ROOM_3,
    ROOMS,
    SPARE,
    full_lesson,
    join,
)
from twinclass_signaling.errors import SignalingError
from twinclass_signaling.ids import ParticipantId, PersonId, RoomId
from twinclass_signaling.lesson import snapshot
from twinclass_signaling.lesson.commands import (
    Actor,
    EndPublication,
    LessonCommand,
    Lose,
    StartPublication,
    Tick,
)
from twinclass_signaling.lesson.events import LessonEvent
from twinclass_signaling.lesson.media_policy import grants, subscriptions
from twinclass_signaling.lesson.plan import (
    MAX_ROOMS,
    MAX_SEATS,
    Plan,
    PlannedPolicy,
    PlannedPupil,
    PlannedRoom,
)
from twinclass_signaling.lesson.talk_events import HandOverOffered, TeachingChanged
from twinclass_signaling.lesson.timers import next_deadline
from twinclass_signaling.lesson.tool_board import all_views
from twinclass_signaling.lesson.tools.agenda import cue_at, overrun_s, phase_at
from twinclass_signaling.lesson.tools.teaching import leading, teacher
from twinclass_signaling.lesson.visibility import viewer_of
from twinclass_signaling.messages import CallOn, CloseLesson, OpenLesson, View
from twinclass_signaling.roles import Role
from twinclass_signaling.tool_commands import (
    AcknowledgeNote,
    AnswerHelp,
    AnswerPulse,
    AnswerQuiz,
    AskHelp,
    AttachSlides,
    AttendanceMode,
    EndGroupWork,
    GoToPhase,
    HandBack,
    HeardInSoundCheck,
    ListenIn,
    MarkAttendance,
    MarkCue,
    OfferHandOver,
    OpenQuiz,
    RaiseHand,
    Say,
    SendNote,
    SendPulse,
    SetPolicy,
    StartCountdown,
    StartGroupWork,
    StartSoundCheck,
    TakeOver,
    TurnSlide,
)
from twinclass_signaling.tool_views import ToolViews

HYBRID = PlannedPolicy(hybrid_room=ROOM_1, following=HELPERS[0].participant)


def code_of(lesson: Lesson, command: LessonCommand, who: Actor) -> str:
    with pytest.raises(SignalingError) as caught:
        lesson.do(command, who)
    return caught.value.code


def views(lesson: Lesson, who: Actor) -> ToolViews:
    viewer = viewer_of(lesson.state, who.participant)
    assert viewer is not None
    return all_views(lesson.state, viewer, {})


def wait(lesson: Lesson, seconds: float) -> list[LessonEvent]:
    """Lets time pass as the host does: it ticks at every deadline on the way."""
    end, happened = lesson.now + seconds, list[LessonEvent]()
    for _ in range(100):
        deadline = next_deadline(lesson.state)
        if deadline is None or deadline > end:
            break
        lesson.now = max(lesson.now, deadline) - 1  # ``do`` adds a second.
        happened += lesson.do(Tick())
    lesson.now = end
    return happened


def heard_by(lesson: Lesson, who: Actor) -> set[str]:
    return {
        str(slot.participant)
        for slot in subscriptions(lesson.state, who.participant, View())
        if slot.source == "microphone" and slot.participant is not None
    }


# ---- handing over -------------------------------------------------------------------------


def test_a_lead_who_is_lost_is_offered_to_the_co_lead_within_five_seconds() -> None:
    lesson = full_lesson()
    lesson.do(Lose(LEAD.participant))
    assert lesson.state.tools.teaching.away_since == lesson.now
    assert wait(lesson, 1.5) == []
    (offered,) = wait(lesson, 3.5)
    assert isinstance(offered, HandOverOffered)
    assert (offered.to, offered.reason, offered.phase) == (("co",), "connection", 0)
    assert views(lesson, CO_LEAD).teaching.offer is not None
    assert views(lesson, ROOMS[0]).teaching.offer is None
    assert views(lesson, ROOMS[0]).teaching.away_since is not None
    lesson.do(TakeOver(), CO_LEAD)
    assert teacher(lesson.state) == "co"
    assert leading(lesson.state) == ("co", "lead")
    assert lesson.state.tools.teaching.missed_s > 0


def test_an_offer_ends_when_the_lead_is_back() -> None:
    lesson = full_lesson()
    lesson.do(Lose(LEAD.participant))
    wait(lesson, 5)
    lesson.do(join(LEAD))
    wait(lesson, 1)
    assert lesson.state.tools.teaching.offer is None
    assert code_of(lesson, TakeOver(), CO_LEAD) == "not_offered"


def test_a_page_that_is_reloaded_makes_no_offer() -> None:
    lesson = full_lesson()
    lesson.do(Lose(LEAD.participant))
    lesson.do(join(LEAD))
    assert wait(lesson, 60) == []


def test_lost_media_is_a_loss_although_the_line_is_there() -> None:
    lesson = full_lesson()
    lesson.do(StartPublication(LEAD.participant, "camera"))
    lesson.do(EndPublication(LEAD.participant, "camera"))
    (offered,) = wait(lesson, 1)
    assert isinstance(offered, HandOverOffered)
    assert offered.reason == "media"


def test_a_lead_who_comes_back_is_offered_the_teaching_by_a_co_lead() -> None:
    lesson = full_lesson()
    lesson.do(Lose(LEAD.participant))
    wait(lesson, 5)
    lesson.do(TakeOver(), CO_LEAD)
    lesson.do(join(LEAD))
    (offered,) = wait(lesson, 1)
    assert isinstance(offered, HandOverOffered)
    assert (offered.to, offered.reason) == (("lead",), "returned")
    lesson.do(HandBack(), CO_LEAD)
    assert teacher(lesson.state) == "lead"
    assert lesson.state.tools.teaching.offer is None


def test_the_lead_hands_over_and_takes_back() -> None:
    lesson = full_lesson()
    lesson.do(OfferHandOver(CO_LEAD.participant), LEAD)
    assert code_of(lesson, OfferHandOver(HELPERS[0].participant), LEAD) == "participant_away"
    lesson.do(TakeOver(), CO_LEAD)
    assert wait(lesson, 60) == []
    lesson.do(TakeOver(), LEAD)
    assert teacher(lesson.state) == "lead"


def test_a_following_assistant_takes_over_at_the_right_cue_and_the_teacher_returns_by_herself() -> (
    None
):
    lesson = full_lesson(HYBRID)
    lesson.now += 17 * 60
    lesson.do(Lose(LEAD.participant))
    (offered,) = wait(lesson, 5)
    assert isinstance(offered, HandOverOffered)
    assert "helper-1" in offered.to
    assert "helper-2" not in offered.to
    assert (offered.phase, offered.cue) == (1, 1)
    assert code_of(lesson, TurnSlide(None), HELPERS[0]) == "forbidden"
    lesson.do(TakeOver(), HELPERS[0])
    lesson.do(OpenQuiz("judge", "对吗？"), HELPERS[0])
    wait(lesson, 85)
    lesson.do(join(LEAD))
    (back,) = wait(lesson, 1)
    assert isinstance(back, TeachingChanged)
    assert (back.participant, back.cause) == ("lead", "returned")
    assert 90 <= back.away_s <= 100, "what she missed is all since she was lost"
    assert lesson.state.tools.teaching.missed_s == back.away_s
    assert code_of(lesson, StartCountdown(5), HELPERS[0]) == "forbidden"


def test_who_takes_over_from_a_dead_line_keeps_the_lesson_until_there_is_a_picture_again() -> None:
    lesson = full_lesson(HYBRID)
    lesson.do(StartPublication(LEAD.participant, "camera"))
    lesson.do(EndPublication(LEAD.participant, "camera"))
    wait(lesson, 1)
    lesson.do(TakeOver(), HELPERS[0])
    assert wait(lesson, 20) == [], "her socket still stands, but she is not there"
    assert teacher(lesson.state) == "helper-1"
    lesson.do(StartPublication(LEAD.participant, "camera"))
    (back,) = wait(lesson, 1)
    assert isinstance(back, TeachingChanged)
    assert (back.participant, back.cause) == ("lead", "returned")


def test_who_comes_back_on_a_new_line_is_back_also_without_a_camera() -> None:
    lesson = full_lesson(HYBRID)
    lesson.do(StartPublication(LEAD.participant, "camera"))
    lesson.do(EndPublication(LEAD.participant, "camera"))
    wait(lesson, 1)
    lesson.do(TakeOver(), HELPERS[0])
    lesson.do(Lose(LEAD.participant))
    assert wait(lesson, 20) == []
    lesson.do(join(LEAD))
    (back,) = wait(lesson, 1)
    assert isinstance(back, TeachingChanged)


def test_while_an_assistant_teaches_homes_see_and_hear_her_by_the_room_she_is_in() -> None:
    lesson = full_lesson(HYBRID)
    assert heard_by(lesson, HOMES[0]) == {"lead", "co"}
    lesson.do(Lose(LEAD.participant))
    lesson.do(TakeOver(), HELPERS[0])
    assert heard_by(lesson, HOMES[0]) == {"room-1", "co"}
    assert heard_by(lesson, ROOMS[0]) == {"co"}, "no room hears itself"
    sound = [g for g in grants(lesson.state, ROOMS[0].participant) if g.source == "microphone"]
    assert [(one.open, one.full) for one in sound] == [(True, True)]
    lesson.do(join(LEAD))
    wait(lesson, 1)
    assert heard_by(lesson, HOMES[0]) == {"lead", "co"}
    assert not [g for g in grants(lesson.state, ROOMS[0].participant) if g.full]


def test_outside_hybrid_lessons_an_assistant_does_not_take_over() -> None:
    lesson = full_lesson()
    lesson.do(Lose(LEAD.participant))
    wait(lesson, 5)
    assert code_of(lesson, TakeOver(), HELPERS[0]) == "not_offered"


# ---- sound check --------------------------------------------------------------------------


def test_a_sound_check_hears_room_after_room_and_keeps_a_report() -> None:
    lesson = full_lesson(live=False)
    lesson.do(StartSoundCheck(), LEAD)
    heard: list[str] = []
    for _ in range(3):
        heard += heard_by(lesson, LEAD) & {"room-1", "room-2", "room-3"}
        for room in ROOMS:
            microphone = next(
                grant for grant in grants(lesson.state, room.participant)
                if grant.source == "microphone"
            )  # fmt: skip
            assert microphone.open == (room.participant in heard_by(lesson, LEAD))
        assert not heard_by(lesson, HOMES[0]) & {"room-1", "room-2", "room-3"}
        wait(lesson, 5)
    assert heard == ["room-1", "room-2", "room-3"]
    assert views(lesson, LEAD).sound_check.running is False
    assert {room.result for room in views(lesson, LEAD).sound_check.rooms} == {"not_heard"}


def test_i_hear_you_goes_on_at_once_and_the_room_s_assistant_may_say_it() -> None:
    lesson = full_lesson(live=False)
    lesson.do(StartSoundCheck((ROOM_1, ROOM_2)), LEAD)
    assert heard_by(lesson, HELPERS[0]) == {"room-1"}
    assert heard_by(lesson, HELPERS[1]) == set()
    assert code_of(lesson, HeardInSoundCheck(ROOM_1), HELPERS[1]) == "forbidden"
    lesson.do(HeardInSoundCheck(), HELPERS[0])
    assert views(lesson, ROOMS[1]).sound_check.current == ROOM_2
    assert views(lesson, ROOMS[0]).sound_check.current is None
    lesson.do(HeardInSoundCheck(heard=False), LEAD)
    results = {room.room: room.result for room in views(lesson, LEAD).sound_check.rooms}
    assert results == {ROOM_1: "heard", ROOM_2: "not_heard"}
    assert next_deadline(lesson.state) is None


def test_the_bell_ends_a_sound_check() -> None:
    lesson = full_lesson(live=False)
    lesson.do(StartSoundCheck(), LEAD)
    lesson.do(OpenLesson(), LEAD)
    assert not heard_by(lesson, LEAD) & {"room-1"}
    assert code_of(lesson, StartSoundCheck(), LEAD) == "already_open"


# ---- group work ---------------------------------------------------------------------------


def test_in_group_work_the_lead_alone_hears_the_rooms_she_listens_in_to() -> None:
    lesson = full_lesson()
    lesson.do(CallOn(ROOMS[0].participant), LEAD)
    lesson.do(StartGroupWork(480, "每组两题"), LEAD)
    assert not lesson.state.stage
    assert code_of(lesson, CallOn(ROOMS[0].participant), LEAD) == "group_work_on"
    lesson.do(ListenIn((ROOM_2, ROOM_1)), LEAD)
    assert heard_by(lesson, LEAD) >= {"room-1", "room-2"}
    for who in (HOMES[0], ROOMS[2], HELPERS[0]):
        assert not heard_by(lesson, who) & {"room-1", "room-2"}
    work = views(lesson, HELPERS[0]).work.group_work
    assert work is not None
    assert work.listening == (ROOM_1,)
    assert code_of(lesson, ListenIn((ROOM_1, ROOM_2, ROOM_3)), LEAD) == "too_many_rooms"
    lesson.do(EndGroupWork(), LEAD)
    assert not heard_by(lesson, LEAD) & {"room-1", "room-2"}


def test_group_work_and_countdown_end_by_themselves() -> None:
    lesson = full_lesson()
    lesson.do(StartGroupWork(60), LEAD)
    lesson.do(StartCountdown(30, "独立思考"), LEAD)
    assert [str(type(event).__struct_config__.tag) for event in wait(lesson, 61)] == [
        "countdown_ended",
        "group_work_ended",
    ]
    assert code_of(lesson, StartCountdown(3601), LEAD) == "seconds_out_of_range"


def test_the_close_ends_what_still_runs() -> None:
    lesson = full_lesson()
    lesson.do(StartCountdown(30), LEAD)
    lesson.do(StartGroupWork(60), LEAD)
    lesson.do(OpenQuiz("judge", "对吗？"), LEAD)
    events = lesson.do(CloseLesson(), LEAD)
    causes = {
        str(type(event).__struct_config__.tag): getattr(event, "cause", None) for event in events
    }
    for ended in ("quiz_closed", "countdown_ended", "group_work_ended"):
        assert causes[ended] == "lesson_closed"


# ---- plan ---------------------------------------------------------------------------------


def test_the_plan_goes_by_the_minute_and_overrun_is_shown_never_cut() -> None:
    lesson = full_lesson()
    opened = lesson.state.opened_at or 0
    assert [phase_at(lesson.state, opened + minute * 60) for minute in (0, 6, 26, 90)] == [
        0,
        1,
        2,
        2,
    ]
    assert cue_at(lesson.state, opened + 16.9 * 60) == 0
    assert cue_at(lesson.state, opened + 17 * 60) == 1
    assert overrun_s(lesson.state, opened + 41 * 60) == 60
    lesson.do(GoToPhase(2), LEAD)
    lesson.do(MarkCue(0), LEAD)
    assert phase_at(lesson.state, opened) == 2
    assert views(lesson, HELPERS[0]).agenda.cues[0].done
    assert views(lesson, HOMES[0]).agenda.cues == ()
    assert code_of(lesson, GoToPhase(3), LEAD) == "no_phase"


# ---- staff among themselves ---------------------------------------------------------------


def test_a_note_has_forty_characters_and_goes_to_staff() -> None:
    lesson = full_lesson()
    lesson.do(SendNote("三班网络不稳，先点别的班"), HELPERS[0])
    lesson.do(SendNote("你班上台", to=ROOM_2), LEAD)
    assert [note.text for note in views(lesson, HELPERS[0]).backchannel.notes] == [
        "三班网络不稳，先点别的班"
    ]
    assert len(views(lesson, HELPERS[1]).backchannel.notes) == 2
    assert code_of(lesson, SendNote("长" * 41), LEAD) == "text_too_long"
    assert code_of(lesson, SendNote("长" * 10_000), LEAD) == "text_too_long"
    assert code_of(lesson, SendNote(" \u200b\n"), LEAD) == "text_empty"
    assert code_of(lesson, SendNote("好", to=ROOM_2), HOMES[0]) == "forbidden"
    assert code_of(lesson, AcknowledgeNote(2), HELPERS[0]) == "no_note"
    lesson.do(AcknowledgeNote(2), HELPERS[1])
    assert views(lesson, LEAD).backchannel.notes[1].seen_by == ("helper-2",)


def test_signals_are_added_up_for_the_lead_answered_by_a_tap_and_gone_after_a_minute() -> None:
    lesson = full_lesson()
    lesson.do(SendPulse("slower"), HELPERS[0])
    lesson.do(SendPulse("slower"), HELPERS[1])
    assert lesson.do(SendPulse("slower"), HELPERS[1]) == []
    (total,) = views(lesson, LEAD).backchannel.sums
    assert (total.kind, total.rooms, total.of) == ("slower", (ROOM_1, ROOM_2), 3)
    assert views(lesson, ROOMS[0]).backchannel.sums == ()
    lesson.do(AnswerPulse("slower", ROOM_1), LEAD)
    assert views(lesson, HELPERS[0]).backchannel.pulses[0].answered_by == "lead"
    assert views(lesson, LEAD).backchannel.sums[0].rooms == (ROOM_2,)
    lesson.now += 61
    lesson.do(SendPulse("done"), HELPERS[0])
    assert [pulse.kind for pulse in lesson.state.tools.backchannel.pulses] == ["done"]
    assert code_of(lesson, AnswerPulse("slower"), LEAD) == "no_pulse"


def test_a_home_reaches_her_own_assistant_and_nobody_else_sees_it() -> None:
    lesson = full_lesson()
    lesson.do(AskHelp("cannot_hear"), HOMES[0])
    assert [call.participant for call in views(lesson, HELPERS[0]).own_class.help] == ["home-1"]
    for who in (HELPERS[1], HOMES[2], LEAD, ROOMS[0]):
        assert views(lesson, who).own_class.help == ()
    assert [one.participant for one in views(lesson, HOMES[0]).own_class.assistants] == ["helper-1"]
    assert code_of(lesson, AnswerHelp(HOMES[0].participant), HELPERS[1]) == "forbidden"
    lesson.do(AnswerHelp(HOMES[0].participant, "换耳机试试"), HELPERS[0])
    assert views(lesson, HOMES[0]).own_class.help[0].text == "换耳机试试"


def test_chat_is_off_unless_switched_on_and_keeps_markup_as_text() -> None:
    lesson = full_lesson()
    assert code_of(lesson, Say("你好"), HOMES[0]) == "forbidden"
    lesson.do(SetPolicy(public_chat=True), LEAD)
    lesson.do(Say("<b>你好</b>"), HOMES[0])
    assert views(lesson, POINT).chat.messages[0].text == "<b>你好</b>"
    assert code_of(lesson, Say("长" * 201), HOMES[0]) == "text_too_long"
    for number in range(60):
        lesson.do(Say(str(number)), HOMES[0])
    assert len(views(lesson, POINT).chat.messages) == 50


# ---- slides -------------------------------------------------------------------------------


def test_slides_are_attached_and_turned() -> None:
    lesson = full_lesson()
    lesson.do(AttachSlides("doc-1", 24, "ab" * 32, "有理数"), LEAD)
    lesson.do(TurnSlide("doc-1", 7), CO_LEAD)
    shown = views(lesson, HOMES[0]).slides
    assert (shown.document, shown.page, shown.documents[0].pages) == ("doc-1", 7, 24)
    assert code_of(lesson, TurnSlide("doc-1", 25), LEAD) == "no_page"
    assert code_of(lesson, TurnSlide("doc-2", 1), LEAD) == "no_page"
    assert code_of(lesson, AttachSlides("../x", 1, "ab" * 32), LEAD) == "slides_malformed"
    assert code_of(lesson, AttachSlides("doc-1", 24, "ab" * 32), LEAD) == "slides_attached"
    assert code_of(lesson, TurnSlide("doc-1", 1), HOMES[0]) == "forbidden"


# ---- one sound authority ------------------------------------------------------------------


def test_a_second_device_of_a_room_has_neither_sound_nor_rights() -> None:
    lesson = full_lesson()
    lesson.do(join(SPARE))
    assert heard_by(lesson, SPARE) == set()
    assert grants(lesson.state, SPARE.participant) == []
    assert code_of(lesson, CallOn(SPARE.participant), LEAD) == "not_callable"
    assert code_of(lesson, StartPublication(SPARE.participant, "microphone"), LEAD) == "forbidden"
    assert views(lesson, ROOMS[0]).sound.companions == (ParticipantId("room-1.c1"),)
    assert views(lesson, ROOMS[1]).sound.companions == ()


# ---- size ---------------------------------------------------------------------------------


def test_the_snapshot_of_the_largest_lesson_fits() -> None:
    rooms = tuple(
        PlannedRoom(
            RoomId(f"room-{room}-of-some-length"),
            "班",
            pupils=tuple(PlannedPupil(PersonId(f"pupil-{room}-{n}")) for n in range(50)),
        )
        for room in range(MAX_ROOMS)
    )
    lesson = Lesson(Plan("示例课", rooms=rooms))
    lead = lesson.join("lead", Role.LEAD)
    homes = []
    for number in range(MAX_SEATS - 1):
        room = rooms[number % MAX_ROOMS].id
        homes.append(lesson.join(f"home-{number:04}-of-some-length", Role.HOME_LEARNER, room))
    lesson.do(OpenLesson(), lead)
    lesson.do(OpenQuiz("multiple", "长" * 500, ("长" * 80,) * 8), lead)
    for home in homes:
        lesson.do(RaiseHand(), home)
        lesson.do(AskHelp("question"), home)
        lesson.do(AnswerQuiz(1, (0, 1, 2, 3, 4, 5, 6, 7)), home)
        lesson.do(SendNote("长" * 40), lead)
    for helper in (Actor(ParticipantId("h"), Role.ASSISTANT, room.id) for room in rooms):
        for home in homes:
            if home.room == helper.room:
                lesson.do(AnswerHelp(home.participant, "长" * 40), helper)
    modes: tuple[AttendanceMode, ...] = ("absent", "home")

    def move_all_for_ever() -> None:
        for mode in itertools.cycle(modes):
            for home in homes:
                lesson.do(MarkAttendance(PersonId(home.participant), mode), lead)

    with pytest.raises(SignalingError) as caught:
        move_all_for_ever()
    assert caught.value.code == "too_many_changes"
    assert len(snapshot.encode(lesson.state)) < snapshot.MAX_SNAPSHOT_BYTES * 0.9
    assert snapshot.copy(lesson.state) == lesson.state

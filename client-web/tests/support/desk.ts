import type { OwnQuestion, PupilView, Welcome } from '@/protocol/desk-messages'

export function own(part: Partial<OwnQuestion> = {}): OwnQuestion {
  return {
    question: 1, is_own: true, state: 'queued', subject: 'maths', points: [], content: 'c-1', kind: 'photo', wish: 'live',
    asked_at: 1_000, since: 1_000, position: 3, wait: { kind: 'unknown', low_s: 0, high_s: 0 }, picked: null, tutor_name: '',
    followers: 0, bank: [], answer: null, ladder: null, alike: [], may_reopen: false, may_rate: false, origin: null, ...part,
  }
}

export function pupilView(part: Partial<PupilView> = {}): PupilView {
  return {
    type: 'pupil', is_open: true, opens_at: 0, closes_at: 9_000, consented: true, may_be_recorded: true, may_send_media: true, live_left_s: 3_600, question: null,
    session: null, done: [], tutors: {}, rooms: [], shared: [], help_is_coming: false, ...part,
  }
}

export function deskWelcome(part: Partial<Welcome> = {}): Welcome {
  return {
    type: 'welcome', session: 's1', secret: 'secret-1', resumed: false, person: 'pupil-1', role: 'pupil', name: '小雨', grade: 7,
    desk: { desk: 'grade-7', title: '示例答疑台', subjects: ['maths'], grades: [7], needs_approval: false, utc_offset_min: 480 },
    view: pupilView(), server_time: 1_000, may_publish: [], may_command: ['question_ask'], ...part,
  }
}

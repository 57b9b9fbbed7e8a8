import { beforeEach, describe, expect, it } from 'vitest'
import type { ServerMessage } from '@/protocol/messages'
import { Session } from '@/protocol/session'
import { CommandError, TRANSITIONS, type SessionState } from '@/protocol/wire'
import { FakeServer, MemoryResume, welcome } from '../support/server'
import { FakeClock, settle } from '../support/time'

const text = { zh: '中文', en: 'English' }

let clock: FakeClock
let server: FakeServer
let resume: MemoryResume
let states: SessionState[]
let messages: ServerMessage[]
let session: Session

function make(): Session {
  return new Session({
    token: 'token',
    client: { video_codecs: ['H264'] },
    clock,
    openSocket: server.open,
    resume,
    onState: (state) => states.push(state),
    onMessage: (message) => messages.push(message),
  })
}

function goLive(): void {
  session.start()
  server.line.accept()
  server.line.say(welcome())
}

beforeEach(() => {
  clock = new FakeClock()
  server = new FakeServer()
  resume = new MemoryResume()
  states = []
  messages = []
  session = make()
})

describe('joining', () => {
  it('authenticates first and is live after the welcome', () => {
    session.start()
    expect(session.state).toBe('connecting')
    server.line.accept()
    expect(session.state).toBe('authenticating')
    const [first] = server.line.of('authenticate')
    expect(first).toMatchObject({ token: 'token', resume: null, last_seq: 0, use_here: true })
    server.line.say(welcome())
    expect(states).toEqual(['connecting', 'authenticating', 'live'])
  })

  it('gives up a socket that does not open, and tries again', () => {
    session.start()
    clock.advance(3_000)
    expect(session.state).toBe('reconnecting')
    clock.advance(300)
    expect(server.lines).toHaveLength(2)
    expect(server.lines[0]?.closed).toBe(true)
  })

  it('is refused for good by a token that is not good', () => {
    session.start()
    server.line.accept()
    const refusal = { type: 'error', code: 'token_expired', text, id: null, retry_after_s: 0, fatal: true } as const
    server.line.say(refusal)
    expect(session.state).toBe('refused')
    expect(session.reason).toEqual({ code: 'token_expired', text })
    clock.advance(60_000)
    expect(server.lines).toHaveLength(1)
  })

  it('waits as long as the server asks when it is only away', () => {
    session.start()
    server.line.accept()
    server.line.say({ type: 'error', code: 'draining', text, id: null, retry_after_s: 5, fatal: true })
    expect(session.reason).toEqual({ code: 'draining', text })
    expect(session.state).toBe('reconnecting')
    clock.advance(4_900)
    expect(server.lines).toHaveLength(1)
    clock.advance(200)
    expect(server.lines).toHaveLength(2)
  })

  it('shows a seat that is taken like being fenced', () => {
    session.start()
    server.line.accept()
    server.line.say({ type: 'error', code: 'seat_taken', text, id: null, retry_after_s: 0, fatal: true })
    expect(session.state).toBe('fenced')
  })

  it('takes text that is no JSON as a broken line', () => {
    session.start()
    server.line.accept()
    server.line.sayText('{"type":')
    expect(session.state).toBe('reconnecting')
  })
})

describe('a lost line', () => {
  it('comes back with the latest secret and the last event', () => {
    goLive()
    server.line.say({ type: 'event', seq: 11, at: 1, event: { type: 'stage_enter', participant: 'r' } })
    server.line.drop()
    expect(session.state).toBe('reconnecting')
    clock.advance(250)
    server.line.accept()
    expect(server.line.of('authenticate')[0]).toMatchObject({
      resume: { session: 's1', secret: 'secret-1' },
      last_seq: 11,
      use_here: false,
    })
    server.line.say(welcome({ resumed: true, secret: 'secret-2' }))
    expect(session.state).toBe('live')
    expect(resume.record?.secret).toBe('secret-2')
  })

  it('waits longer with each attempt, never more than 8 s, and anew after a success', () => {
    goLive()
    const waits: number[] = []
    for (let attempt = 0; attempt < 8; attempt += 1) {
      const before = clock.now()
      const count = server.lines.length
      server.line.drop()
      while (server.lines.length === count) clock.advance(50)
      waits.push(clock.now() - before)
    }
    expect(waits[0]).toBeLessThanOrEqual(300)
    expect(waits).toEqual([...waits].sort((a, b) => a - b))
    expect(waits.at(-1)).toBeLessThanOrEqual(8_050)
    server.line.accept()
    server.line.say(welcome({ resumed: true }))
    const count = server.lines.length
    server.line.drop()
    clock.advance(250)
    expect(server.lines).toHaveLength(count + 1)
  })

  it('notices a line that has gone silent', () => {
    goLive()
    clock.advance(7_900)
    expect(session.state).toBe('live')
    expect(server.line.of('ping')).toHaveLength(3)
    clock.advance(200)
    expect(session.state).toBe('reconnecting')
  })

  it('stays on a line that answers pings', () => {
    goLive()
    for (let round = 0; round < 10; round += 1) {
      clock.advance(round === 0 ? 2_000 : 1_980)
      const sent = server.line.of('ping').at(-1)?.sent_ms ?? 0
      clock.advance(20)
      server.line.say({ type: 'pong', sent_ms: sent, server_time: 2_000 })
    }
    expect(session.state).toBe('live')
    expect(session.pingMs).toBe(20)
  })

  it('takes its own late timers for no silence', () => {
    goLive()
    // A hidden page's timers run once a minute, its messages come at once.
    for (let minute = 0; minute < 3; minute += 1) {
      clock.advance(2_000)
      server.line.say({ type: 'pong', sent_ms: clock.now(), server_time: 2_000 })
      clock.sleep(60_000)
    }
    clock.advance(2_000)
    expect(session.state).toBe('live')
  })

  it('gives an attempt that leads nowhere up after 3 s, then later and later', () => {
    goLive()
    server.line.drop()
    const lasted: number[] = []
    for (let attempt = 0; attempt < 3; attempt += 1) {
      const count = server.lines.length
      while (server.lines.length === count) clock.advance(10)
      const began = clock.now()
      while (session.reason?.code !== 'connect_timeout' || session.state !== 'reconnecting') clock.advance(10)
      lasted.push(clock.now() - began)
    }
    expect(lasted).toEqual([3_000, 3_500, 4_000])
  })

  it('gives an attempt up that began in the dark once something came over the network', () => {
    goLive()
    server.line.drop()
    session.hurry()
    clock.advance(2_000)
    session.pathIsBack()
    expect(server.lines).toHaveLength(3)
    expect(session.state).toBe('connecting')
    session.pathIsBack()
    expect(server.lines).toHaveLength(3)
  })

  it('hurries when a person or the network says so', () => {
    goLive()
    server.line.drop()
    session.hurry()
    expect(server.lines).toHaveLength(2)
    expect(session.state).toBe('connecting')
  })

  it('looks at once whether it is still there when the device was asleep', () => {
    goLive()
    session.check()
    expect(server.line.of('ping')).toHaveLength(1)
    server.line.say({ type: 'pong', sent_ms: clock.now(), server_time: 2_000 })
    clock.advance(2_000)
    expect(session.state).toBe('live')
    session.check()
    clock.advance(2_000)
    expect(session.state).toBe('connecting')
    expect(server.lines).toHaveLength(2)
  })

  it('does not listen to the socket of before', () => {
    goLive()
    const old = server.line
    old.drop()
    clock.advance(250)
    old.say(welcome())
    old.drop()
    expect(session.state).toBe('connecting')
    expect(clock.waiting).toBe(1)
  })

  it('ignores events it has applied', () => {
    goLive()
    const event = { type: 'event', seq: 10, at: 1, event: { type: 'stage_enter', participant: 'r' } } as const
    server.line.say(event)
    expect(messages.filter((one) => one.type === 'event')).toHaveLength(0)
  })
})

describe('commands', () => {
  it('resolve with their ack', async () => {
    goLive()
    const done = session.command({ type: 'stage_clear' })
    const [sent] = server.line.of('command')
    expect(sent).toEqual({ type: 'command', id: 1, command: { type: 'stage_clear' } })
    server.line.say({ type: 'ack', id: 1, seq: 12 })
    await expect(done).resolves.toBeUndefined()
  })

  it('reject with the words of the server', async () => {
    goLive()
    const done = session.command({ type: 'call_on', participant: 'room-2' })
    server.line.say({ type: 'error', code: 'participant_away', text, id: 1, retry_after_s: 0, fatal: false })
    await expect(done).rejects.toMatchObject({ code: 'participant_away', text })
    expect(session.state).toBe('live')
  })

  it('are sent again with the same id after a resume', async () => {
    goLive()
    const done = session.command({ type: 'stage_clear' })
    server.line.drop()
    clock.advance(250)
    server.line.accept()
    server.line.say(welcome({ resumed: true }))
    expect(server.line.of('command')).toEqual([
      { type: 'command', id: 1, command: { type: 'stage_clear' } },
    ])
    server.line.say({ type: 'ack', id: 1, seq: 12 })
    await expect(done).resolves.toBeUndefined()
  })

  it('are given up when the server made a new session: nobody knows whether they were done', async () => {
    goLive()
    const done = session.command({ type: 'stage_clear' })
    server.line.drop()
    clock.advance(250)
    server.line.accept()
    server.line.say(welcome({ session: 's2' }))
    await expect(done).rejects.toBeInstanceOf(CommandError)
    expect(server.line.of('command')).toHaveLength(0)
  })

  it('fail at once without a line', async () => {
    await expect(session.command({ type: 'stage_clear' })).rejects.toMatchObject({
      code: 'not_connected',
    })
  })

  it('count on after a reload of the page', () => {
    goLive()
    void session.command({ type: 'stage_clear' }).catch(() => undefined)
    session = make()
    session.start()
    server.line.accept()
    server.line.say(welcome({ resumed: true }))
    void session.command({ type: 'stage_clear' }).catch(() => undefined)
    expect(server.line.of('command')[0]?.id).toBe(2)
  })
})

describe('endings', () => {
  it('does not come back by itself when fenced, but when a person wants it', () => {
    goLive()
    server.line.say({ type: 'fenced', text })
    expect(session.state).toBe('fenced')
    expect(server.lines[0]?.closed).toBe(true)
    expect(resume.record).toBeNull()
    clock.advance(60_000)
    expect(server.lines).toHaveLength(1)
    session.takeOver()
    server.line.accept()
    expect(server.line.of('authenticate')[0]).toMatchObject({ use_here: true, resume: null })
  })

  it('of a further device comes back beside the first one, or in its place', () => {
    session = new Session({
      token: 'token', client: {}, clock, openSocket: server.open, resume, companion: true,
      onState: (state) => states.push(state), onMessage: (message) => messages.push(message),
    })
    goLive()
    expect(server.line.of('authenticate')[0]).toMatchObject({ companion: true })
    session.takeSound()
    server.line.accept()
    expect(server.line.of('authenticate')[0]).toMatchObject({ companion: false, use_here: true })
    server.line.say(welcome())
    server.line.say({ type: 'fenced', text })
    session.takeOver(true)
    server.line.accept()
    expect(server.line.of('authenticate')[0]).toMatchObject({ companion: true, use_here: true })
  })

  it('ends with the lesson', () => {
    goLive()
    server.line.say({ type: 'goodbye', reason: 'lesson_closed', text, reconnect_after_s: null })
    expect(session.state).toBe('closed')
    expect(session.reason).toEqual({ code: 'lesson_closed', text })
    expect(clock.waiting).toBe(0)
  })

  it('comes back after a restart of the server', () => {
    goLive()
    server.line.say({ type: 'goodbye', reason: 'drain', text, reconnect_after_s: 1 })
    expect(session.state).toBe('reconnecting')
    clock.advance(1_000)
    expect(server.lines).toHaveLength(2)
  })

  it('does not come back with all others after a restart of the server', () => {
    goLive()
    clock.chance = 0.5
    server.line.say({ type: 'goodbye', reason: 'drain', text, reconnect_after_s: 1 })
    clock.advance(1_499)
    expect(server.lines).toHaveLength(1)
    clock.advance(1)
    expect(server.lines).toHaveLength(2)
  })

  it('rejects what was not answered when it is closed', async () => {
    goLive()
    const done = session.command({ type: 'stage_clear' })
    session.close()
    await expect(done).rejects.toBeInstanceOf(CommandError)
    await settle()
    expect(session.send({ type: 'ping', sent_ms: 1 })).toBe(false)
  })

  it('refuses transitions that are not in its table', () => {
    expect(TRANSITIONS.closed).not.toContain('live')
    session.takeOver()
    session.hurry()
    expect(session.state).toBe('idle')
  })
})

import { createPinia, setActivePinia } from 'pinia'
import { beforeEach, describe, expect, it } from 'vitest'
import type { ServerMessage } from '@/protocol/desk-messages'
import type { Line } from '../support/server'
import { DeskClient } from '@/desk/client'
import { useDesk } from '@/desk/desk'
import { useLine } from '@/lesson/line'
import { FakeServer, MemoryResume } from '../support/server'
import { deskWelcome, own, pupilView } from '../support/desk'
import { FakeClock } from '../support/time'

const text = { zh: '中文', en: 'English' }
let clock: FakeClock
let server: FakeServer
let client: DeskClient
/** The desk's messages on the lesson's fake line: both are JSON. */
const say = (message: ServerMessage): void => server.line.sayText(JSON.stringify(message))
const sent = (line: Line): { type: string }[] => line.received

beforeEach(() => {
  setActivePinia(createPinia())
  clock = new FakeClock()
  server = new FakeServer()
  client = new DeskClient('token', { clock, openSocket: server.open, resume: new MemoryResume(), userAgent: 'test', videoCodecs: ['H264'] })
  client.start()
  server.line.accept()
})

describe('a page at the desk', () => {
  it('says who it is without what only lessons have', () => {
    expect(sent(server.line)[0]).toEqual({
      type: 'authenticate', token: 'token', client: { video_codecs: ['H264'], user_agent: 'test' }, resume: null,
    })
  })

  it('shows the view of the welcome, and each later one in its place', () => {
    say(deskWelcome())
    const desk = useDesk()
    expect(desk.me).toMatchObject({ role: 'pupil', grade: 7 })
    expect(desk.may('question_ask')).toBe(true)
    say({ type: 'view', view: pupilView({ question: own() }), server_time: 1_010 })
    expect(desk.pupil?.question?.position).toBe(3)
    say({ type: 'view', view: pupilView(), server_time: 1_005 })
    expect(desk.pupil?.question).not.toBeNull()
    expect(desk.tutor).toBeNull()
  })

  it('tells the person what a command was refused for', async () => {
    say(deskWelcome())
    const done = client.command({ type: 'question_withdraw', question: 1 })
    expect(sent(server.line).at(-1)).toEqual({ type: 'command', id: 1, command: { type: 'question_withdraw', question: 1 } })
    say({ type: 'error', code: 'question_state', text, id: 1, retry_after_s: 0, fatal: false })
    await expect(done).resolves.toBe(false)
    expect(useLine().notice?.text).toEqual(text)
  })

  it('comes back with its secret and sends again what was not answered', async () => {
    say(deskWelcome())
    const done = client.command({ type: 'question_withdraw', question: 1 })
    server.line.drop()
    clock.advance(300)
    server.line.accept()
    expect(sent(server.line)[0]).toMatchObject({ resume: { session: 's1', secret: 'secret-1' } })
    say(deskWelcome({ resumed: true, secret: 'secret-2', server_time: 1_020 }))
    expect(sent(server.line).at(-1)).toMatchObject({ type: 'command', id: 1 })
    say({ type: 'ack', id: 1, seq: 4 })
    await expect(done).resolves.toBe(true)
  })

  it('gives messages of live help to whoever listens, until she stops', () => {
    const heard: string[] = []
    const stop = client.listen((message) => heard.push(message.type))
    say(deskWelcome())
    say({ type: 'board_state', session: 1, update: '', vector: '' })
    say({ type: 'view', view: pupilView(), server_time: 1_010 })
    stop()
    say({ type: 'board_state', session: 1, update: '', vector: '' })
    expect(heard).toEqual(['welcome', 'board_state'])
  })
})

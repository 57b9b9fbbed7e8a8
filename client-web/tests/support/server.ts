import type { ClientMessage, ServerMessage, Welcome } from '@/protocol/messages'
import { NO_TOOLS } from '@/lesson/tools'
import type { ResumeRecord, ResumeStore, Socket, SocketHandlers } from '@/protocol/wire'

/** The server's end of every socket a session opens. */
export class FakeServer {
  readonly lines: Line[] = []
  readonly open = (handlers: SocketHandlers): Socket => {
    const line = new Line(handlers)
    this.lines.push(line)
    return line
  }

  get line(): Line {
    const line = this.lines.at(-1)
    if (line === undefined) throw new Error('nobody has connected')
    return line
  }
}

export class Line implements Socket {
  readonly received: ClientMessage[] = []
  closed = false

  constructor(private readonly handlers: SocketHandlers) {}

  send(text: string): void {
    this.received.push(JSON.parse(text) as ClientMessage)
  }

  close(): void {
    this.closed = true
  }

  accept(): void {
    this.handlers.onOpen()
  }

  say(message: ServerMessage): void {
    this.handlers.onText(JSON.stringify(message))
  }

  sayText(text: string): void {
    this.handlers.onText(text)
  }

  drop(): void {
    this.handlers.onClose()
  }

  of<T extends ClientMessage['type']>(type: T): Extract<ClientMessage, { type: T }>[] {
    return this.received.filter(
      (one): one is Extract<ClientMessage, { type: T }> => one.type === type,
    )
  }
}

export function welcome(part: Partial<Welcome> = {}): Welcome {
  return {
    type: 'welcome',
    session: 's1',
    secret: 'secret-1',
    resumed: false,
    participant: 'room-1',
    role: 'room',
    name: '七(1)班',
    room: 'room-1',
    lesson: {
      id: 'demo',
      title: 'demo',
      subtitle: '',
      phase: 'live',
      seq: 10,
      opened_at: 1_000,
      planned_minutes: 40,
      counts: { rooms_present: 1, rooms_expected: 3, homes_present: 0, homes_expected: 2 },
      stage: [],
      participants: [],
      tools: NO_TOOLS,
    },
    server_time: 1_060,
    may_publish: ['camera', 'microphone'],
    may_command: ['stage_leave'],
    companion: false,
    ...part,
  }
}

export class MemoryResume implements ResumeStore {
  record: ResumeRecord | null = null
  load(): ResumeRecord | null {
    return this.record
  }
  save(record: ResumeRecord | null): void {
    this.record = record
  }
}

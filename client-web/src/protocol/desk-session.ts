/** The session of one page with `/desk`: views instead of events, one device a person. */
import type { ClientMessage, Command, ServerMessage } from './desk-messages'
import type { Resume } from './messages'
import { Wire, type Protocol } from './wire'

export interface DeskProtocol extends Protocol {
  command: Command['command']
  sent: ClientMessage
  heard: ServerMessage
}

export class DeskSession extends Wire<DeskProtocol> {
  protected override greeting(resume: Resume | null): ClientMessage {
    return { type: 'authenticate', token: this.options.token, client: this.options.client, resume }
  }
}

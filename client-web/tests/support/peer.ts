/** An RTCPeerConnection that answers at once and remembers what was asked of it. */

type Listener = (event: unknown) => void

export class FakeSender {
  parameters: RTCRtpSendParameters
  /** Makes setParameters refuse a codec, as browsers do that cannot switch. */
  refusesCodec = false
  history: RTCRtpSendParameters[] = []

  constructor(
    public track: MediaStreamTrack | null,
    encodings: RTCRtpEncodingParameters[],
  ) {
    this.parameters = {
      transactionId: '1', encodings, headerExtensions: [], rtcp: {},
      codecs: [
        { payloadType: 108, mimeType: 'video/H264', clockRate: 90_000 },
        { payloadType: 96, mimeType: 'video/VP8', clockRate: 90_000 },
      ],
    }
  }

  getParameters(): RTCRtpSendParameters {
    return structuredClone(this.parameters)
  }

  setParameters(parameters: RTCRtpSendParameters): Promise<void> {
    if (this.refusesCodec && parameters.encodings.some((one) => 'codec' in one)) {
      return Promise.reject(new Error('codec'))
    }
    this.parameters = structuredClone(parameters)
    this.history.push(this.parameters)
    return Promise.resolve()
  }

  replaceTrack(track: MediaStreamTrack | null): Promise<void> {
    this.track = track
    return Promise.resolve()
  }
}

export class FakeTransceiver {
  mid: string | null = null
  direction: RTCRtpTransceiverDirection
  sender: FakeSender
  preferences: RTCRtpCodec[] = []

  constructor(track: MediaStreamTrack, init: RTCRtpTransceiverInit) {
    this.direction = init.direction ?? 'sendrecv'
    this.sender = new FakeSender(track, init.sendEncodings ?? [{}])
  }

  setCodecPreferences(codecs: RTCRtpCodec[]): void {
    this.preferences = codecs
  }
}

export class FakePeer {
  connectionState: RTCPeerConnectionState = 'new'
  iceConnectionState: RTCIceConnectionState = 'new'
  localDescription: { type: string; sdp: string } | null = null
  remote: RTCSessionDescriptionInit[] = []
  transceivers: FakeTransceiver[] = []
  restarts = 0
  servers: RTCIceServer[] = []
  /** Answers to checks on the chosen pair, and how its packets go. */
  responses = 0
  hasPath = true
  route: 'udp' | 'tcp' | 'relay' = 'udp'
  closed = false
  bytes = 0
  rejectsRemote = false
  private readonly listeners = new Map<string, Set<Listener>>()

  addTransceiver(track: MediaStreamTrack, init: RTCRtpTransceiverInit): FakeTransceiver {
    const transceiver = new FakeTransceiver(track, init)
    this.transceivers.push(transceiver)
    return transceiver
  }

  setLocalDescription(): Promise<void> {
    for (const [index, one] of this.transceivers.entries()) one.mid ??= String(index)
    this.localDescription = { type: 'offer', sdp: `local ${this.restarts}` }
    return Promise.resolve()
  }

  setRemoteDescription(description: RTCSessionDescriptionInit): Promise<void> {
    if (this.rejectsRemote) return Promise.reject(new Error('order of m-lines'))
    this.remote.push(description)
    return Promise.resolve()
  }

  setConfiguration(configuration: RTCConfiguration): void {
    this.servers = configuration.iceServers ?? []
  }

  restartIce(): void {
    this.restarts += 1
  }

  getStats(): Promise<Map<string, unknown>> {
    const local = this.route === 'relay' ? { candidateType: 'relay' } : { protocol: this.route }
    return Promise.resolve(
      new Map<string, unknown>([
        ['t', { id: 't', type: 'transport', bytesReceived: this.bytes, selectedCandidatePairId: this.hasPath ? 'p' : '' }],
        ['p', { id: 'p', type: 'candidate-pair', localCandidateId: 'l', responsesReceived: this.responses }],
        ['l', { id: 'l', type: 'local-candidate', ...local }],
      ]),
    )
  }

  addEventListener(type: string, listener: Listener): void {
    const set = this.listeners.get(type) ?? new Set()
    set.add(listener)
    this.listeners.set(type, set)
  }

  removeEventListener(type: string, listener: Listener): void {
    this.listeners.get(type)?.delete(listener)
  }

  emit(type: string, event: unknown = {}): void {
    for (const listener of [...(this.listeners.get(type) ?? [])]) listener(event)
  }

  become(state: RTCPeerConnectionState): void {
    this.connectionState = state
    this.emit('connectionstatechange')
  }

  close(): void {
    this.closed = true
  }
}

/** Makes peers and keeps them. */
export class Peers {
  readonly made: FakePeer[] = []
  readonly create = (): RTCPeerConnection => {
    const peer = new FakePeer()
    this.made.push(peer)
    return peer as unknown as RTCPeerConnection
  }

  get last(): FakePeer {
    const peer = this.made.at(-1)
    if (peer === undefined) throw new Error('no peer connection was made')
    return peer
  }
}

export function fakeTrack(kind: 'audio' | 'video', width = 1280, height = 720): MediaStreamTrack {
  return Object.assign(new EventTarget(), {
    kind, enabled: true, muted: true, contentHint: '', getSettings: () => ({ width, height }),
  }) as unknown as MediaStreamTrack
}

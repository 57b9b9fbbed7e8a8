// A mediasoup server for with_mediasoup.py: node mediasoup_server.mjs FOLDER, where FOLDER has it in
// node_modules. A request is a line of JSON on stdin, its reply one on stdout, with the same id.
import { createRequire } from 'node:module'
import { createInterface } from 'node:readline'
import { pathToFileURL } from 'node:url'

const ADDRESS = '127.0.0.1'
const AUDIO_LEVEL = 'urn:ietf:params:rtp-hdrext:ssrc-audio-level'
const ABS_SEND_TIME = 'http://www.webrtc.org/experiments/rtp-hdrext/abs-send-time'
const CODECS = {
  video: { kind: 'video', mimeType: 'video/VP8', clockRate: 90000 },
  audio: { kind: 'audio', mimeType: 'audio/opus', clockRate: 48000, channels: 2 },
}
const FEEDBACK = {
  video: [{ type: 'nack' }, { type: 'nack', parameter: 'pli' }, { type: 'goog-remb' }],
  audio: [],
}

const entry = createRequire(`${process.argv[2]}/`).resolve('mediasoup')
const { createWorker } = await import(pathToFileURL(entry))
const worker = await createWorker({ logLevel: 'error' })
worker.on('died', () => process.exit(1))
// One port for all: cheaper than a socket each. Everything else is as it comes.
const webRtcServer = await worker.createWebRtcServer({
  listenInfos: [{ protocol: 'udp', ip: ADDRESS }],
})
const [{ port }] = (await webRtcServer.dump()).udpSockets
const routers = new Map()
const producers = new Map()

const router = (room) => {
  if (!routers.has(room))
    routers.set(room, worker.createRouter({ mediaCodecs: Object.values(CODECS) }))
  return routers.get(room)
}

// A transport for a peer that begins the handshake, and what the peer needs of it.
const connected = async (room, fingerprint) => {
  const transport = await (await router(room)).createWebRtcTransport({ webRtcServer })
  await transport.connect({
    dtlsParameters: { role: 'client', fingerprints: [{ algorithm: 'sha-256', value: fingerprint }] },
  })
  const { usernameFragment: ufrag, password } = transport.iceParameters
  return { transport, remote: { address: ADDRESS, port, ufrag, password } }
}

const publish = async ({ room, name, fingerprint, tracks }) => {
  const { transport, remote } = await connected(room, fingerprint)
  for (const [mid, { kind, ssrc, payloadType }] of tracks.entries()) {
    const { kind: _, ...codec } = CODECS[kind]
    const producer = await transport.produce({
      kind,
      rtpParameters: {
        mid: String(mid),
        codecs: [{ ...codec, payloadType, rtcpFeedback: FEEDBACK[kind] }],
        headerExtensions: kind === 'audio' ? [{ uri: AUDIO_LEVEL, id: 1 }] : [],
        encodings: [{ ssrc }],
        rtcp: { cname: 'bench' },
      },
    })
    producers.set(`${room}/${name}/${kind}`, producer.id)
  }
  return remote
}

// What viewers can: all that the router has, without transport-wide congestion control.
const capabilities = ({ codecs, headerExtensions }) => ({
  codecs: codecs.map((one) => ({
    ...one,
    rtcpFeedback: one.rtcpFeedback.filter(({ type }) => type !== 'transport-cc'),
  })),
  headerExtensions: headerExtensions.filter(({ uri }) => uri === ABS_SEND_TIME),
})

const view = async ({ room, fingerprint, wanted }) => {
  const { transport, remote } = await connected(room, fingerprint)
  const rtpCapabilities = capabilities((await router(room)).rtpCapabilities)
  const consumers = await Promise.all(wanted.map(({ name, kind }) =>
    transport.consume({ producerId: producers.get(`${room}/${name}/${kind}`), rtpCapabilities })))
  return { ...remote, ssrcs: consumers.map((one) => one.rtpParameters.encodings[0].ssrc) }
}

const answer = async ({ id, do: what, ...request }) => {
  try {
    return { id, ...await (what === 'publish' ? publish(request) : view(request)) }
  } catch (error) {
    return { id, error: String(error) }
  }
}

for await (const line of createInterface({ input: process.stdin }))
  void answer(JSON.parse(line)).then((reply) => process.stdout.write(`${JSON.stringify(reply)}\n`))
// Nobody asks any more: the worker goes with its parent.
process.exit(0)

/**
 * A large update as several that the server takes: after a wipe was taken back, all marks are new
 * ones in a single transaction.
 *
 * Only for updates of one's own marks: of one device, whose parts each build on the one before. What
 * is erased is told with the last.
 */
import { ContentAny, createID, decodeUpdate, Item, UpdateEncoderV1 } from 'yjs'

type Decoded = ReturnType<typeof decodeUpdate>
type Struct = Decoded['structs'][number]

/** Marks of one part; with 480 points each they may still be too much, then they are halved. */
const MARKS = 256

/** Returns updates of at most `most` bytes that do together what `update` does. */
export function split(update: Uint8Array, most: number): Uint8Array[] {
  if (update.length <= most) return [update]
  const { structs, ds } = decodeUpdate(update)
  const parts: Uint8Array[] = []
  const small = structs.flatMap((one) => halves(one, MARKS))
  let from = 0
  while (from < small.length) {
    let end = Math.min(small.length, from + MARKS)
    let part = encode(small.slice(from, end), null)
    while (part.length > most && end - from > 1) {
      end = from + Math.ceil((end - from) / 2)
      part = encode(small.slice(from, end), null)
    }
    const one = small[from]
    const pieces = part.length > most && one !== undefined ? halves(one, Math.floor(one.length / 2)) : []
    if (pieces.length > 1) small.splice(from, 1, ...pieces)
    else {
      parts.push(part)
      from = end
    }
  }
  if (ds.clients.size > 0) parts.push(encode([], ds))
  return parts
}

/** Returns a run of marks as runs of at most `most`. */
function halves(struct: Struct, most: number): Struct[] {
  if (!(struct instanceof Item) || !(struct.content instanceof ContentAny) || struct.length <= most || most < 1) return [struct]
  const { id, rightOrigin, parent, parentSub } = struct
  const found: Struct[] = []
  let origin = struct.origin
  for (let at = 0; at < struct.content.arr.length; at += most) {
    const content = new ContentAny(struct.content.arr.slice(at, at + most))
    // eslint-disable-next-line @typescript-eslint/no-unsafe-class-instance-assignment -- it is one
    found.push(new Item(createID(id.client, id.clock + at), null, origin, null, rightOrigin, parent, parentSub, content))
    origin = createID(id.client, id.clock + at + content.arr.length - 1)
  }
  return found
}

function encode(structs: readonly Struct[], ds: Decoded['ds'] | null): Uint8Array {
  const encoder = new UpdateEncoderV1()
  const first = structs[0]
  // All of these write a number of 7 bits a byte.
  encoder.writeLen(first === undefined ? 0 : 1)
  if (first !== undefined) {
    encoder.writeLen(structs.length)
    encoder.writeClient(first.id.client)
    encoder.writeLen(first.id.clock)
    for (const one of structs) one.write(encoder, 0)
  }
  encoder.writeLen(ds?.clients.size ?? 0)
  for (const [client, runs] of ds?.clients ?? []) {
    encoder.writeClient(client)
    encoder.writeLen(runs.length)
    for (const { clock, len } of runs) {
      encoder.writeLen(clock)
      encoder.writeLen(len)
    }
  }
  return encoder.toUint8Array()
}

/** Bytes in JSON. */

export function toBase64(bytes: Uint8Array): string {
  let text = ''
  // In pieces: all bytes as arguments at once would overflow the stack.
  for (let at = 0; at < bytes.length; at += 8_192) text += String.fromCharCode(...bytes.subarray(at, at + 8_192))
  return btoa(text)
}

/** Returns the bytes; none when it is no base64. */
export function fromBase64(text: string): Uint8Array {
  try {
    return Uint8Array.from(atob(text), (one) => one.charCodeAt(0))
  } catch {
    return new Uint8Array()
  }
}

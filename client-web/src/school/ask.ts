/** Asking our server. Whatever goes wrong is a `DeskError`, with words for people. */
export interface Texts { zh: string; en: string }

/** A refusal in both languages; `status` 0: nothing answered. */
export class DeskError extends Error {
  /** `found`: what of a text was blocked, when it was. */
  constructor(readonly status: number, readonly code: string, readonly text: Texts, readonly found: readonly Found[] = []) {
    super(code)
  }
}

/** Something of a text that may not be sent, and where it stands. */
export interface Found { kind: 'phone' | 'contact' | 'email' | 'link' | 'money' | 'meeting'; start: number; end: number }

const BROKEN: Texts = { zh: '服务器出错了，请稍后再试。', en: 'The server made an error; try again later.' }

export const offline = (): DeskError =>
  new DeskError(0, 'offline', { zh: '连不上服务器，请检查网络后再试。', en: 'The server does not answer; check the network and try again.' })

export function refused(status: number, body: string): DeskError {
  try {
    const parsed = JSON.parse(body) as { code: string; text: Texts; found?: Found[] }
    return new DeskError(status, parsed.code, parsed.text, parsed.found)
  } catch {
    return new DeskError(status, 'unexpected', BROKEN)
  }
}

/** What the server says with its answer; who gives a request up hears of that, not of a `DeskError`. */
export async function said(path: string, request: RequestInit = {}): Promise<{ answer: Response; text: string }> {
  try {
    const answer = await fetch(path, request)
    return { answer, text: await answer.text() }
  } catch (error) {
    if (error instanceof DOMException && error.name === 'AbortError') throw error
    throw offline()
  }
}

/** Asks with a link's token; bodies and answers are JSON. */
export async function ask<T>(token: string, method: string, path: string, body?: unknown, more: RequestInit = {}): Promise<T> {
  const headers: Record<string, string> = { authorization: `Bearer ${token}` }
  const request: RequestInit = { ...more, method, headers }
  if (body !== undefined) {
    headers['content-type'] = 'application/json'
    request.body = JSON.stringify(body)
  }
  return understood(await said(path, request)) as T
}

/** What an answer says in JSON. */
export function understood({ answer, text }: { answer: Response; text: string }): unknown {
  if (!answer.ok) throw refused(answer.status, text)
  try {
    return text === '' ? undefined : JSON.parse(text)
  } catch {
    throw refused(answer.status, '')
  }
}

/** Sends a file; `onProgress`: the share that is sent, 0 to 1. The server's check follows the last byte. By
 *  XMLHttpRequest, because fetch does not tell how much of an upload is sent. */
export function bring<T>(token: string, path: string, file: File, type: string, onProgress: (share: number) => void): Promise<T> {
  return new Promise((resolve, reject) => {
    const request = new XMLHttpRequest()
    request.open('POST', path)
    request.setRequestHeader('authorization', `Bearer ${token}`)
    request.setRequestHeader('content-type', type)
    request.setRequestHeader('x-file-name', encodeURIComponent(file.name.slice(0, 150)))
    request.upload.onprogress = (event) => { onProgress(event.total === 0 ? 1 : event.loaded / event.total) }
    request.onload = () => {
      if (request.status === 201) resolve(JSON.parse(request.responseText) as T)
      else reject(refused(request.status, request.responseText))
    }
    request.onerror = () => { reject(offline()) }
    request.send(file)
  })
}

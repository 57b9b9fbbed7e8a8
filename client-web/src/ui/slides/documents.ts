/**
 * Slides as files: fetched once, checked, kept on this device, opened by pdf.js.
 *
 * A room that has the file turns pages without the network: what the server sends for a page turn
 * is its number. The file's name is its SHA-256, so a kept copy is never out of date.
 */
import type { PDFDocumentProxy } from 'pdfjs-dist'
import { seatOf } from '@/lesson/offline/records'
import type { BilingualText, DocumentView } from '@/protocol/messages'
import { isSecure, keep, keptFile } from './kept'

/** pdf.js could not open it, or it did not come. */
export class SlidesError extends Error {}

/** A lesson's documents; older ones are given back. */
const OPEN_AT_ONCE = 3
const opened = new Map<string, Promise<PDFDocumentProxy>>()

/** The document, opened. A failure is forgotten, so that the next call tries again. */
/** A document, and where it is when it is not the live lesson's. */
export type DocumentPlace = Pick<DocumentView, 'document' | 'sha256'> & { url?: string }

export function openDocument(view: DocumentPlace, token: string): Promise<PDFDocumentProxy> {
  const found = opened.get(view.document)
  if (found !== undefined) return found
  const opening = fetchFile(view, token).then(openBytes)
  opened.set(view.document, opening)
  opening.catch(() => opened.delete(view.document))
  const oldest = opened.keys().next().value
  if (opened.size > OPEN_AT_ONCE && oldest !== undefined) {
    const ended = opened.get(oldest)
    opened.delete(oldest)
    void ended?.then((one) => one.loadingTask.destroy()).catch(() => undefined)
  }
  return opening
}

/** What the server says to an upload it does not take. */
export class UploadError extends Error {
  constructor(readonly text: BilingualText) {
    super(text.en)
  }
}

const NOT_SENT: BilingualText = {
  zh: '课件没有传上去，请检查网络后再试一次',
  en: 'The slides did not arrive; check the network and try again',
}

/** Hands a PDF to the server, which checks it; what comes back is put into the lesson. */
export async function upload(file: File, lesson: string, token: string): Promise<DocumentView> {
  let response: Response
  try {
    response = await fetch(`/api/lessons/${encodeURIComponent(lesson)}/slides`, {
      method: 'POST',
      headers: {
        Authorization: `Bearer ${token}`,
        'Content-Type': 'application/pdf',
        'X-File-Name': encodeURIComponent(file.name).slice(0, 700),
      },
      body: file,
    })
  } catch {
    throw new UploadError(NOT_SENT)
  }
  const body = (await response.json().catch(() => null)) as (DocumentView & { text?: BilingualText }) | null
  if (!response.ok || body === null) throw new UploadError(body?.text ?? NOT_SENT)
  return body
}

async function openBytes(data: Uint8Array): Promise<PDFDocumentProxy> {
  const [pdfjs, worker] = await Promise.all([
    import('pdfjs-dist/legacy/build/pdf.mjs'),
    import('pdfjs-dist/legacy/build/pdf.worker.min.mjs?url'),
  ])
  pdfjs.GlobalWorkerOptions.workerSrc = worker.default
  try {
    return await pdfjs.getDocument({
      data,
      cMapUrl: `${__PDF_BASE__}cmaps/`,
      cMapPacked: true,
      standardFontDataUrl: `${__PDF_BASE__}standard_fonts/`,
      wasmUrl: `${__PDF_BASE__}wasm/`,
      // Documents come from people: nothing in them is run.
      isEvalSupported: false,
      enableXfa: false,
    }).promise
  } catch (error) {
    throw new SlidesError(String(error))
  }
}

async function fetchFile({ sha256, url: place }: DocumentPlace, token: string): Promise<Uint8Array> {
  const url = `/api/slides/${encodeURIComponent(sha256)}`
  const kept = await keptFile(url)
  if (kept !== null && (await isWhole(kept, sha256))) return kept
  let response: Response
  try {
    response = await fetch(place ?? url, { headers: { Authorization: `Bearer ${token}` } })
  } catch (error) {
    throw new SlidesError(String(error))
  }
  if (!response.ok) throw new SlidesError(`HTTP ${response.status}`)
  const data = new Uint8Array(await response.arrayBuffer())
  if (!(await isWhole(data, sha256))) throw new SlidesError('not the file that was uploaded')
  await keep(url, data, seatOf(token)?.split('/')[0] ?? '')
  return data
}

/** Fetches a document that is not on this device yet, for the time when the line is gone. */
export async function keepDocument(view: DocumentPlace, token: string): Promise<void> {
  if (isSecure) await fetchFile(view, token)
}

async function isWhole(data: Uint8Array, sha256: string): Promise<boolean> {
  if (!isSecure || sha256 === '') return true
  const digest = new Uint8Array(await crypto.subtle.digest('SHA-256', data.slice()))
  return [...digest].map((one) => one.toString(16).padStart(2, '0')).join('') === sha256
}

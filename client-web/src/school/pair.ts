/** Six digits against the address of an assistant's console. */
interface Texts { zh: string; en: string }

/** `text` null: nothing answered, or nothing that says why. */
export type Paired = { url: string } | { text: Texts | null }

export async function pairTablet(code: string): Promise<Paired> {
  try {
    const answer = await fetch('/api/pair', {
      method: 'POST',
      headers: { 'content-type': 'application/json' },
      body: JSON.stringify({ code }),
    })
    const body = (await answer.json()) as { url?: string; text?: Texts }
    if (answer.ok && body.url !== undefined) return { url: body.url }
    return { text: body.text ?? null }
  } catch {
    return { text: null }
  }
}

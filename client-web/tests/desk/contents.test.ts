import { expect, it } from 'vitest'
import type { Content } from '@/desk/api'
import { Contents } from '@/desk/contents'

const content = (id: string): Content => ({ content: id, text: '', photos: [], voice: null, by: 'pupil' })

function made(): { contents: Contents; asked: string[]; clock: { now: number }; fails: { next: boolean } } {
  const asked: string[] = []
  const clock = { now: 0 }
  const fails = { next: false }
  const contents = new Contents((id, question) => {
    asked.push(`${id}/${question ?? ''}`)
    return fails.next ? Promise.reject(new Error('away')) : Promise.resolve(content(id))
  }, () => clock.now)
  return { contents, asked, clock, fails }
}

it('asks once for what many lists show, and anew before its addresses end', async () => {
  const { contents, asked, clock } = made()
  await Promise.all([contents.get('c-1', 7), contents.get('c-1', 7)])
  clock.now = 89 * 60_000
  await contents.get('c-1', 7)
  expect(asked).toEqual(['c-1/7'])
  clock.now = 91 * 60_000
  await contents.get('c-1', 7)
  expect(asked).toHaveLength(2)
})

it('asks again for what failed', async () => {
  const { contents, asked, fails } = made()
  fails.next = true
  await expect(contents.get('c-1', null)).rejects.toThrow('away')
  fails.next = false
  await expect(contents.get('c-1', null)).resolves.toMatchObject({ content: 'c-1' })
  expect(asked).toHaveLength(2)
})

it('forgets the oldest, however long an evening is', async () => {
  const { contents, asked } = made()
  for (let n = 0; n < 121; n += 1) await contents.get(`c-${n}`, null)
  await contents.get('c-120', null)
  expect(asked).toHaveLength(121)
  await contents.get('c-0', null)
  expect(asked).toHaveLength(122)
})

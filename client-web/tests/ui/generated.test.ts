import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'
import { fileURLToPath } from 'node:url'
import { expect, it } from 'vitest'
import { en } from '@/ui/i18n/en'
import { zh } from '@/ui/i18n/zh'

const here = (path: string): string => fileURLToPath(new URL(path, import.meta.url))

it('speaks the messages of the server', () => {
  // Outside of a whole checkout there is no server to ask.
  expect(existsSync(here('../../../signaling/twinclass_signaling/schema.py'))).toBe(true)
  execFileSync('node', [here('../../scripts/generate-protocol.mjs'), '--check'], { stdio: 'pipe' })
})

it('says everything in both languages with the same placeholders', () => {
  const flat = (value: unknown, path = ''): [string, string][] =>
    typeof value === 'string'
      ? [[path, [...value.matchAll(/\{(\w+)\}/g)].map((one) => one[1]).sort().join()]]
      : Object.entries(value as object).flatMap(([key, inner]) => flat(inner, `${path}.${key}`))
  expect(flat(en)).toEqual(flat(zh))
})

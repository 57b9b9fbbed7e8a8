/** Devices that are opened while somebody waits. */
import type { useOwn } from '@/lesson/own'
import { clock } from './browser'

/** A permission that nobody answers: the lesson goes first. */
const PATIENCE_MS = 3_000

/**
 * Devices that do not open, or a question that nobody answers, must not keep a class from its
 * lesson: what opens later is published then.
 */
export async function openSoon(own: ReturnType<typeof useOwn>, want: { camera: boolean; microphone: boolean }): Promise<void> {
  const waited = new Promise<void>((resolve) => void clock.after(PATIENCE_MS, resolve))
  await Promise.race([own.openDevices(want), waited])
}

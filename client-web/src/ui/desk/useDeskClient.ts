/** The page's client, for its parts. */
import { inject, provide, type InjectionKey } from 'vue'
import type { DeskClient } from '@/desk/client'

const KEY: InjectionKey<DeskClient> = Symbol('desk client')

export function provideDeskClient(client: DeskClient): void {
  provide(KEY, client)
}

export function useDeskClient(): DeskClient {
  const client = inject(KEY)
  if (client === undefined) throw new Error('only inside the desk page')
  return client
}

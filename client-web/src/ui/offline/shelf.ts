/** What stays on this device, in IndexedDB: places and records, until the log has them or a day is over. */
import type { Place } from '@/lesson/offline/place'
import type { KeptRecord } from '@/lesson/offline/records'
import type { Shelf } from '@/lesson/offline/shelf'

const NAME = 'twinclass-offline'
const VERSION = 1

let opening: Promise<IDBDatabase> | null = null

function open(): Promise<IDBDatabase> {
  opening ??= new Promise<IDBDatabase>((resolve, reject) => {
    const request = indexedDB.open(NAME, VERSION)
    request.onupgradeneeded = () => {
      request.result.createObjectStore('places', { keyPath: 'seat' })
      request.result.createObjectStore('records', { keyPath: 'key' }).createIndex('seat', 'seat')
    }
    request.onsuccess = () => resolve(request.result)
    request.onerror = () => reject(request.error ?? new Error('indexedDB'))
    request.onblocked = () => reject(new Error('indexedDB is blocked'))
  })
  opening.catch(() => { opening = null })
  return opening
}

/** Runs one transaction; resolves with the request's result once it is on the disk. */
async function run<T>(store: 'places' | 'records', mode: IDBTransactionMode, act: (of: IDBObjectStore) => IDBRequest<T>): Promise<T> {
  const database = await open()
  return new Promise<T>((resolve, reject) => {
    // A browser may die the next moment: "strict" is when the system says that it is written.
    const transaction = database.transaction(store, mode, { durability: 'strict' })
    const request = act(transaction.objectStore(store))
    transaction.oncomplete = () => resolve(request.result)
    transaction.onabort = () => reject(transaction.error ?? new Error('aborted'))
  })
}

async function removeAll(store: 'places' | 'records', isOld: (value: Place | KeptRecord) => boolean): Promise<void> {
  const database = await open()
  return new Promise<void>((resolve, reject) => {
    const transaction = database.transaction(store, 'readwrite')
    const cursor = transaction.objectStore(store).openCursor()
    cursor.onsuccess = () => {
      const at = cursor.result
      if (at === null) return
      if (isOld(at.value as Place | KeptRecord)) at.delete()
      at.continue()
    }
    transaction.oncomplete = () => resolve()
    transaction.onabort = () => reject(transaction.error ?? new Error('aborted'))
  })
}

export const shelf: Shelf = {
  async place(seat) {
    return ((await run('places', 'readonly', (of) => of.get(seat))) as Place | undefined) ?? null
  },
  async savePlace(place) {
    await run('places', 'readwrite', (of) => of.put(place))
  },
  async records(seat) {
    return (await run('records', 'readonly', (of) => of.index('seat').getAll(seat))) as KeptRecord[]
  },
  async putRecord(record) {
    await run('records', 'readwrite', (of) => of.put(record))
  },
  async removeRecord(key) {
    await run('records', 'readwrite', (of) => of.delete(key))
  },
  async forgetPlace(seat) {
    await run('places', 'readwrite', (of) => of.delete(seat))
  },
  async sweep(beforeMs) {
    await removeAll('places', (one) => 'savedAt' in one && one.savedAt < beforeMs)
    await removeAll('records', (one) => 'takenAt' in one && one.takenAt * 1000 < beforeMs)
  },
}

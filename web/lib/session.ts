import { signal, type ReadonlySignal } from '@preact/signals-core'

const storedAs = 'tandem.session'
const fragment = /^#open=(tdl_[\w-]+)$/

export const storedKey = (storage: Storage): string | null => storage.getItem(storedAs)

/** The key of this browser's session, in the storage of this origin: no other site, port or frame can read it. */
export class SessionKey {
  readonly #storage: Storage
  readonly #key = signal<string | null>(null)

  constructor(storage: Storage) {
    this.#storage = storage
    this.#key.value = storedKey(storage)
  }

  get key(): ReadonlySignal<string | null> {
    return this.#key
  }

  set(key: string): void {
    this.#storage.setItem(storedAs, key)
    this.#key.value = key
  }

  /** The session has ended. Another tab may have signed in meanwhile: then this one goes on with its key. */
  end(key: string): void {
    if (storedKey(this.#storage) === key) this.#storage.removeItem(storedAs)
    this.#key.value = storedKey(this.#storage)
  }

  /** Another tab has signed in or out. */
  changed({ key, newValue }: StorageEvent): void {
    if (key === storedAs || key === null) this.#key.value = newValue
  }
}

/** The secret of the link that opened this page; `null`: it was opened by another address. */
export const linkIn = (hash: string): string | null => fragment.exec(hash)?.[1] ?? null

/** Takes the secret of the link out of the address: it must not stay in the history, where the way back would use it again. */
export function takeLink(): string | null {
  const link = linkIn(location.hash)
  if (link !== null) history.replaceState(null, '', location.pathname + location.search)
  return link
}

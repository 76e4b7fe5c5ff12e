import type { Socket } from 'node:net'

/** Counts client connections over all listeners, and keeps them, so that `close` can end them. */
export class ConnectionGate {
  readonly #limit: number
  readonly #open = new Set<Socket>()

  constructor(limit: number) {
    this.#limit = limit
  }

  get open(): number {
    return this.#open.size
  }

  /** Returns false if there are too many connections; the new one has then been closed. */
  admit(socket: Socket): boolean {
    if (this.#open.size >= this.#limit) {
      socket.destroy()
      return false
    }
    this.#open.add(socket)
    socket.once('close', () => this.#open.delete(socket))
    return true
  }

  destroyAll(): void {
    for (const socket of this.#open) socket.destroy()
  }
}

import { once } from 'node:events'
import { mkdirSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { dirname } from 'node:path'
import { selfSocketOf, type AgentSelf } from '../protocol/checkup.ts'

/**
 * Tells `tandem doctor` on this machine what the agent says of itself: whoever connects reads one JSON text. In a folder that
 * only the agent's user and root may enter, since services reach every port on loopback.
 */
export class SelfSocket {
  readonly #path: string
  readonly #server: Server

  constructor(data: string, self: () => AgentSelf) {
    this.#path = selfSocketOf(data)
    this.#server = createServer((socket) => {
      socket.on('error', () => {}) // who asked is gone
      socket.end(JSON.stringify(self()))
    })
  }

  /** Rejects where none can be made: the folder's path is too long, or the disk is full. */
  async listen(): Promise<void> {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 })
    rmSync(this.#path, { force: true }) // of an agent that was killed
    this.#server.listen(this.#path)
    await once(this.#server, 'listening')
  }

  async close(): Promise<void> {
    if (!this.#server.listening) return
    const closed = once(this.#server, 'close')
    this.#server.close()
    await closed
  }
}

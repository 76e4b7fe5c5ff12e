import { once } from 'node:events'
import { mkdirSync, rmSync } from 'node:fs'
import { createServer, type Server } from 'node:net'
import { dirname } from 'node:path'
import { selfSocketOf, type AgentSelf } from '../protocol/checkup.ts'

/**
 * Reports the agent's state to `tandem doctor` on this machine: each connection gets one JSON text. The socket is in a
 * folder that only the agent's user and root may enter, since every service can reach every port on loopback.
 */
export class SelfSocket {
  readonly #path: string
  readonly #server: Server

  constructor(data: string, self: () => AgentSelf) {
    this.#path = selfSocketOf(data)
    this.#server = createServer((socket) => {
      socket.on('error', () => {}) // the client has left
      socket.end(JSON.stringify(self()))
    })
  }

  /** Rejects if the socket cannot be made: the folder's path is too long, or the disk is full. */
  async listen(): Promise<void> {
    mkdirSync(dirname(this.#path), { recursive: true, mode: 0o700 })
    rmSync(this.#path, { force: true }) // left by a killed agent
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

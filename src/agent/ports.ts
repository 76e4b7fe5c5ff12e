import { once } from 'node:events'
import { createServer } from 'node:net'
import { OperatorError } from '../lib/operatorError.ts'
import type { AgentDisk } from './agentDisk.ts'
import type { LateWrites } from './lateWrites.ts'

export interface PortRange {
  first: number
  last: number
}

/**
 * Ports for instances, outside the system's ephemeral range. Ports are taken in a circle, so that a port just released
 * is the last to be used again. The next port is recorded before use if the disk accepts the write.
 */
export class InstancePorts {
  #range: PortRange
  #disk: AgentDisk
  #lateWrites: Pick<LateWrites, 'write'>
  #isFree: (port: number) => Promise<boolean>
  #taken = new Map<string, number>()
  #next: number

  constructor(range: PortRange, disk: AgentDisk, lateWrites: Pick<LateWrites, 'write'>, isFreeNow = isFree) {
    this.#range = range
    this.#disk = disk
    this.#lateWrites = lateWrites
    this.#isFree = isFreeNow
    const known = disk.readPorts()?.next ?? range.first
    this.#next = known >= range.first && known <= range.last ? known : range.first
  }

  /**
   * Returns a free port for an instance about to start: the same port as before, unless another process took it
   * meanwhile.
   */
  async take(id: string): Promise<number> {
    const known = this.#taken.get(id)
    if (known !== undefined && (await this.#isFree(known))) return known
    for (let tries = this.#range.first; tries <= this.#range.last; tries++) {
      const port = this.#next
      this.#next = port >= this.#range.last ? this.#range.first : port + 1
      if ([...this.#taken.values()].includes(port)) continue
      this.#taken.set(id, port)
      if (await this.#isFree(port)) {
        // A full disk must not keep an instance from starting. Then a later agent may begin at a recently used port.
        this.#lateWrites.write('the ports of instances', () => {
          const kept = this.#disk.readPorts()
          this.#disk.writePorts({ forward: null, metrics: null, ...kept, next: this.#next })
        })
        return port
      }
      this.#taken.delete(id)
    }
    const { first, last } = this.#range
    throw new OperatorError('E_PORT_TAKEN', `every port from ${first} to ${last} is in use`, {
      subject: id,
      next: 'give the agent another range: tandem agent run --ports FIRST-LAST',
    })
  }

  /** Records the port of an instance that ran before this agent started. */
  adopt(id: string, port: number): void {
    this.#taken.set(id, port)
  }

  release(id: string): void {
    this.#taken.delete(id)
  }
}

/** Whether a process could listen on this port of 127.0.0.1 now. */
export async function isFree(port: number): Promise<boolean> {
  const server = createServer()
  try {
    server.listen({ port, host: '127.0.0.1', exclusive: true })
    await once(server, 'listening')
    return true
  } catch {
    return false
  } finally {
    server.close()
  }
}

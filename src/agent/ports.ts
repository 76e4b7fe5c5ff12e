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
 * Ports for instances: outside the system's ephemeral range, taken round and round so that one just given up is the last
 * to be used again, and recorded before use where the disk takes it.
 */
export class InstancePorts {
  #range: PortRange
  #disk: AgentDisk
  #lateWrites: Pick<LateWrites, 'write'>
  #taken = new Map<string, number>()
  #next: number

  constructor(range: PortRange, disk: AgentDisk, lateWrites: Pick<LateWrites, 'write'>) {
    this.#range = range
    this.#disk = disk
    this.#lateWrites = lateWrites
    const known = disk.readPorts()?.next ?? range.first
    this.#next = known >= range.first && known <= range.last ? known : range.first
  }

  /** A free port for an instance that is to be started; the same one again, unless something else took it meanwhile. */
  async take(id: string): Promise<number> {
    const known = this.#taken.get(id)
    if (known !== undefined && (await isFree(known))) return known
    for (let tries = this.#range.first; tries <= this.#range.last; tries++) {
      const port = this.#next
      this.#next = port >= this.#range.last ? this.#range.first : port + 1
      if ([...this.#taken.values()].includes(port)) continue
      this.#taken.set(id, port)
      if (await isFree(port)) {
        // A full disk keeps no instance from starting: then a later agent may begin at a port that was used lately.
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

  /** An instance that ran before this agent has a port already. */
  adopt(id: string, port: number): void {
    this.#taken.set(id, port)
  }

  release(id: string): void {
    this.#taken.delete(id)
  }
}

async function isFree(port: number): Promise<boolean> {
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

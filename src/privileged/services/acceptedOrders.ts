import { existsSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { CarriedContent } from '../../drivers/supervisor/supervisor.ts'
import { readUndamaged, replaceJson, writeJsonDurably } from '../../lib/durableJson.ts'
import type { OperatorError } from '../../lib/operatorError.ts'
import {
  commandOrderMs,
  commandOrderSchema,
  serviceOrderSchema,
  type CommandOrder,
  type ServiceOrder,
} from '../../protocol/serviceOrders.ts'
import { authentic, isLater, refusedForService } from '../orders.ts'
import type { RootFolder } from '../rootFolder.ts'

const obeyedSchema = z.object({
  /** The newest order of each service. */
  services: z.record(z.string(), z.object({ term: z.int(), position: z.int() })),
  /** When each command that could still be repeated was signed. */
  commands: z.record(z.string(), z.number()),
})
type Obeyed = z.infer<typeof obeyedSchema>

interface Parts {
  folder: RootFolder
  now: () => number
}

/**
 * The orders of the controller about programs of services. An order that is older than one obeyed before is refused, and
 * a command runs once.
 */
export class AcceptedOrders {
  readonly #parts: Parts
  #obeyed: Obeyed | null = null

  constructor(parts: Parts) {
    this.#parts = parts
  }

  /** Whether the controller signs what this machine is to run: from then on, nothing unsigned may run. */
  get areDemanded(): boolean {
    return existsSync(this.#path)
  }

  /** The first order demands the next ones too. This demands it before, so that the agent cannot hold the first one back. */
  demand(): void {
    if (!this.areDemanded) this.#write(none)
  }

  /** Whether the controller wants something of the service here, or wanted it before. */
  knows(service: string): boolean {
    return Object.hasOwn(this.#read().services, service)
  }

  /** The programs of a service that may run here now. */
  service(service: string, { order: signed, content }: CarriedContent): ServiceOrder {
    const order = this.#authentic('service', service, signed, content)
    const parsed = serviceOrderSchema.parse(JSON.parse(content))
    if (order.id !== service || parsed.service !== service) throw refused(service, `the order is meant for ${order.id}`)
    const obeyed = this.#read()
    const last = obeyed.services[service]
    if (last && !isLater(order, last)) throw refused(service, 'this machine has already obeyed a later order')
    const { term, position } = order
    if (last?.term !== term || last.position !== position)
      this.#write({ ...obeyed, services: { ...obeyed.services, [service]: { term, position } } })
    return parsed
  }

  /** The command of a person, which may start once, within a minute. */
  command({ id, service, isBeside, order: { order: signed, content } }: AskedCommand): CommandOrder {
    const order = this.#authentic('command', service, signed, content)
    const parsed = commandOrderSchema.parse(JSON.parse(content))
    if (order.id !== id || parsed.id !== id || parsed.service !== service)
      throw refused(service, `the order is meant for ${order.id}`)
    if ((parsed.instance !== null) !== isBeside) throw refused(service, 'the order is meant for another program')
    const now = this.#parts.now()
    if (Math.abs(now - parsed.at) > commandOrderMs)
      throw refused(
        service,
        `the command was signed ${Math.round((now - parsed.at) / 1_000)} s ago, not within a minute`,
      )
    if (Object.hasOwn(this.#read().commands, id)) throw refused(service, 'this command has run already')
    return parsed
  }

  /** The command is about to run: from now on it counts as run. */
  runs({ id, at }: Pick<CommandOrder, 'id' | 'at'>): void {
    const [obeyed, now] = [this.#read(), this.#parts.now()]
    const recent = Object.entries(obeyed.commands).filter(([, other]) => Math.abs(now - other) <= 2 * commandOrderMs)
    this.#write({ ...obeyed, commands: { ...Object.fromEntries(recent), [id]: at } })
  }

  #authentic(kind: 'service' | 'command', service: string, signed: string, content: string) {
    const about = { folder: this.#parts.folder, kind, signed, content, now: this.#parts.now() }
    return authentic(about, (why, cause) => refused(service, why, cause))
  }

  #read(): Obeyed {
    // If a loss of power has damaged the file, any order is newer.
    return (this.#obeyed ??= readUndamaged(this.#path, obeyedSchema) ?? none)
  }

  /** Only that the first order came must survive a loss of power; a start does not wait for the disk. */
  #write(obeyed: Obeyed): void {
    const write = this.areDemanded ? replaceJson : writeJsonDurably
    write(this.#path, obeyed)
    this.#obeyed = obeyed
  }

  get #path(): string {
    return join(this.#parts.folder.path, 'service-orders.json')
  }
}

interface AskedCommand {
  /** Of its unit. */
  id: string
  service: string
  /** Whether it runs beside an instance. */
  isBeside: boolean
  order: CarriedContent
}

const none: Obeyed = { services: {}, commands: {} }

export const refused = (service: string, why: string, cause?: unknown): OperatorError =>
  refusedForService(service, `the privileged helper does not start a program of ${service}: ${why}`, cause)

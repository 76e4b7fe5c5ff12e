import { join } from 'node:path'
import { z } from 'zod'
import { instanceStates, type Seen } from '../protocol/report.ts'
import { readJson, replaceJson, writeJsonDurably } from '../lib/durableJson.ts'
import { makeFolder } from '../lib/makeFolder.ts'
import { OperatorError } from '../lib/operatorError.ts'
import { desiredStateSchema, type DesiredState } from '../protocol/desiredState.ts'

import { desiredFormat, upcastDesired } from './keptDesired.ts'

const bootSchema = z.object({ boot: z.number() })
const portsSchema = z.object({ next: z.number(), forward: z.number().nullable(), metrics: z.number().nullable() })
const preparedSchema = z.array(
  z.object({ rollout: z.string(), ok: z.boolean(), reason: z.string(), finished: z.boolean() }),
)

const instancesSchema = z.record(
  z.string(),
  z.object({ state: z.enum(instanceStates), since: z.number(), restarts: z.number() }),
)

const workSchema = z.object({
  id: z.string(),
  attempt: z.number(),
  step: z.enum(['script', 'restart', 'over']),
  /** Of the machine's start in which this step began. */
  mark: z.string(),
  ok: z.boolean(),
  reason: z.string(),
})

export type KnownWork = z.infer<typeof workSchema>
export type Prepared = z.infer<typeof preparedSchema>[number]
export type Ports = z.infer<typeof portsSchema>

/** Results of `prepare` that are remembered. */
export const preparedKept = 50

/** What one agent keeps on disk, each a small JSON file that is replaced whole. */
export class AgentDisk {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
    makeFolder(folder)
  }

  /** A number that grows with each start of the agent, also on a wiped disk. */
  nextBoot(now: number): number {
    return Math.max(now, (this.#read('boot', bootSchema)?.boot ?? 0) + 1)
  }

  writeBoot(boot: number): void {
    writeJsonDurably(this.#path('boot'), { boot })
  }

  /** The last desired state obeyed: what this machine runs by when no controller answers. */
  readDesired(): DesiredState | null {
    return this.#read(
      'desired',
      z
        .unknown()
        .transform((kept) => upcastDesired(kept))
        .pipe(desiredStateSchema),
    )
  }

  writeDesired(desired: DesiredState): void {
    writeJsonDurably(this.#path('desired'), { format: desiredFormat, ...desired })
  }

  readPrepared(): Prepared[] {
    return this.#read('prepared', preparedSchema) ?? []
  }

  writePrepared(prepared: Prepared[]): void {
    writeJsonDurably(this.#path('prepared'), prepared)
  }

  /** The last work on the machine itself. */
  readMaintenance(): KnownWork | null {
    return this.#read('maintenance', workSchema)
  }

  writeMaintenance(work: KnownWork): void {
    writeJsonDurably(this.#path('maintenance'), work)
  }

  /** For display alone: what cannot be read, as after a power cut, is not known. */
  readInstances(): z.infer<typeof instancesSchema> {
    try {
      return this.#read('instances', instancesSchema) ?? {}
    } catch {
      return {}
    }
  }

  /** Without waiting for the disk: an instance that starts must not. */
  writeInstances(instances: z.infer<typeof instancesSchema>): void {
    replaceJson(this.#path('instances'), instances)
  }

  readPorts(): Ports | null {
    return this.#read('ports', portsSchema)
  }

  writePorts(ports: Ports): void {
    writeJsonDurably(this.#path('ports'), ports)
  }

  /** Holds a folder for each service that it may write, kept across releases. */
  get data(): string {
    return join(this.folder, 'data')
  }

  dataFolder(service: string): string {
    return join(this.data, service)
  }

  /** A file of this agent's own, which only damage to the disk or another version can make unreadable. */
  #read<T>(name: string, schema: z.ZodType<T>): T | null {
    const path = this.#path(name)
    try {
      const known = readJson(path)
      return known === null ? null : schema.parse(known)
    } catch (cause) {
      throw new OperatorError('E_ENVIRONMENT', `${path} cannot be read as what this agent writes there`, {
        subject: path,
        next: 'move it away and start the agent again: the controller tells it anew what to run',
        cause,
      })
    }
  }

  #path(name: string): string {
    return join(this.folder, `${name}.json`)
  }
}

export function seenOf(desired: DesiredState | null): Seen | null {
  if (!desired) return null
  const { term, terms, position } = desired
  return { term, termId: terms.find((record) => record.term === term)?.id ?? '', position }
}

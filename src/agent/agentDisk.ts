import { mkdirSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { readJson, writeJsonDurably } from '../lib/durableJson.ts'
import { desiredStateSchema, type DesiredState } from '../protocol/desiredState.ts'
import type { Seen } from '../protocol/report.ts'

const bootSchema = z.object({ boot: z.number() })
const portsSchema = z.object({ next: z.number(), forward: z.number().nullable(), metrics: z.number().nullable() })
const preparedSchema = z.array(
  z.object({ rollout: z.string(), ok: z.boolean(), reason: z.string(), finished: z.boolean() }),
)

export type Prepared = z.infer<typeof preparedSchema>[number]
export type Ports = z.infer<typeof portsSchema>

/** Results of `prepare` that are remembered. */
const preparedKept = 50

/** What one agent keeps on disk, each a small JSON file that is replaced whole. */
export class AgentDisk {
  readonly folder: string

  constructor(folder: string) {
    this.folder = folder
    mkdirSync(folder, { recursive: true, mode: 0o700 })
  }

  /** A number that grows with each start of the agent, also on a wiped disk. */
  nextBoot(now: number): number {
    const path = this.#path('boot')
    const known = readJson(path)
    const boot = Math.max(now, known === null ? 0 : bootSchema.parse(known).boot + 1)
    writeJsonDurably(path, { boot })
    return boot
  }

  /** The last desired state obeyed: what this machine runs by when no controller answers. */
  readDesired(): DesiredState | null {
    const known = readJson(this.#path('desired'))
    return known === null ? null : desiredStateSchema.parse(known)
  }

  writeDesired(desired: DesiredState): void {
    writeJsonDurably(this.#path('desired'), desired)
  }

  readPrepared(): Prepared[] {
    return preparedSchema.parse(readJson(this.#path('prepared')) ?? [])
  }

  writePrepared(prepared: Prepared[]): void {
    writeJsonDurably(this.#path('prepared'), prepared.slice(-preparedKept))
  }

  readPorts(): Ports | null {
    const known = readJson(this.#path('ports'))
    return known === null ? null : portsSchema.parse(known)
  }

  writePorts(ports: Ports): void {
    writeJsonDurably(this.#path('ports'), ports)
  }

  /** The folder that a service may write, kept across releases. */
  dataFolder(service: string): string {
    return join(this.folder, 'data', service)
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

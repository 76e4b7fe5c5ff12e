import { join } from 'node:path'
import { z } from 'zod'
import { type Seen } from '../protocol/report.ts'
import { instanceStates } from '../protocol/services.ts'
import { jsonFolder, type JsonFiles } from '../lib/jsonFolder.ts'
import { OperatorError } from '../lib/operatorError.ts'
import type { DesiredState } from '../protocol/desiredState.ts'

import { DesiredFile } from './desiredFile.ts'

const bootSchema = z.object({ boot: z.number() })
const portsSchema = z.object({ next: z.number(), forward: z.number().nullable(), metrics: z.number().nullable() })

const instancesSchema = z.record(
  z.string(),
  z.object({ state: z.enum(instanceStates), since: z.number(), restarts: z.number() }),
)

/** Each record is parsed by itself, so that one from a newer version does not make the file unreadable. */
const jobsSchema = z.object({ format: z.number(), jobs: z.array(z.unknown()) })
const jobsFormat = 1

export type Ports = z.infer<typeof portsSchema>

/** The agent's files on disk: small JSON files, each replaced as a whole. */
export class AgentDisk {
  readonly folder: string
  #files: JsonFiles
  #desired: DesiredFile

  constructor(folder: string, files = jsonFolder(folder)) {
    this.folder = folder
    this.#files = files
    this.#desired = new DesiredFile(files)
  }

  /**
   * Returns a number that grows with each start of the agent, also after the disk was wiped, unless the clock is behind:
   * then the controller answers with a later one (`Agent.answered`).
   */
  nextBoot(now: number): number {
    return Math.max(now, (this.read('boot', bootSchema)?.boot ?? 0) + 1)
  }

  writeBoot(boot: number): void {
    this.write('boot', { boot })
  }

  /** The last desired state obeyed. The machine runs by this state while no controller answers. */
  readDesired(): DesiredState | null {
    return this.#desired.read((name, read) => this.#readable(name, read))
  }

  writeDesired(desired: DesiredState): void {
    this.#desired.write(desired)
  }

  /** Brings `desired.json` up to date. Called when nothing is urgent. */
  mergeDesired(): void {
    this.#desired.merge()
  }

  /** The records of jobs, oldest change first. */
  readJobs(): unknown[] {
    return this.read('jobs', jobsSchema)?.jobs ?? []
  }

  writeJobs(records: unknown[]): void {
    this.write('jobs', { format: jobsFormat, jobs: records })
  }

  /** For display only: a file that cannot be read, for example after a power cut, counts as empty. */
  readInstances(): z.infer<typeof instancesSchema> {
    try {
      return this.read('instances', instancesSchema) ?? {}
    } catch {
      return {}
    }
  }

  /** Does not wait for the disk: the start of an instance must not be delayed. */
  writeInstances(instances: z.infer<typeof instancesSchema>): void {
    this.#files.replace('instances', instances)
  }

  readPorts(): Ports | null {
    return this.read('ports', portsSchema)
  }

  writePorts(ports: Ports): void {
    this.write('ports', ports)
  }

  /** Holds one writable data folder per service, kept across releases. */
  get data(): string {
    return join(this.folder, 'data')
  }

  dataFolder(service: string): string {
    return join(this.data, service)
  }

  /**
   * Reads one of the agent's files. Only damage to the disk, another owner or another version of Tandem can make such a
   * file unreadable.
   */
  read<T>(name: string, schema: z.ZodType<T>): T | null {
    return this.#readable(name, () => {
      const known = this.#files.read(name)
      return known === null ? null : schema.parse(known)
    })
  }

  #readable<T>(name: string, read: () => T): T {
    try {
      return read()
    } catch (cause) {
      // The message of the system says more: no permission, a fault of the disk.
      if (cause instanceof Error && 'syscall' in cause) throw cause
      const path = join(this.folder, `${name}.json`)
      throw new OperatorError(
        'E_ENVIRONMENT',
        `the agent cannot read its own file ${path}: it is damaged or has an unknown format`,
        {
          subject: path,
          next: `mv ${path} ${path}.damaged   then start the agent again: ${withoutFile[name] ?? 'it makes a new file'}`,
          cause,
        },
      )
    }
  }

  /** Returns once the file would survive a power cut. */
  write(name: string, value: unknown): void {
    this.#files.write(name, value)
  }
}

/** How the agent goes on without one of its files, by the name of the file. */
const withoutFile: Readonly<Record<string, string>> = {
  desired: 'the controller sends the desired state again',
  'desired-changes': 'the controller sends the desired state again',
  jobs: 'it no longer knows which jobs have run, so one that is in progress may run again',
  prepared: 'it no longer knows which prepares have run, so one that is in progress may run again',
}

export function seenOf(desired: DesiredState | null): Seen | null {
  if (!desired) return null
  const { term, terms, position } = desired
  return { term, termId: terms.find((record) => record.term === term)?.id ?? '', position }
}

import type { AgentDisk } from '../agentDisk.ts'
import type { FormerRecords } from './formerRecords.ts'
import { jobRecordSchema, type JobRecord } from './jobRecord.ts'

/**
 * The records of all jobs of this agent, oldest change first: one file, replaced as a whole. Beside it, the files
 * of agents that know no jobs are kept up to date.
 */
export class JobRecords {
  #disk: AgentDisk
  #known: JobRecord[] = []
  /** Records in a form that only a newer version of Tandem knows: written back as they were. */
  #foreign: unknown[] = []
  #former: readonly FormerRecords[]
  /** The content of the former files as last written, as JSON. */
  #written = new Map<FormerRecords, string>()

  constructor(disk: AgentDisk, former: readonly FormerRecords[] = []) {
    this.#disk = disk
    this.#former = former
    for (const one of disk.readJobs()) {
      const record = jobRecordSchema.safeParse(one)
      if (record.success) this.#known.push(record.data)
      else this.#foreign.push(one)
    }
    for (const record of former.flatMap((one) => one.read())) {
      const ours = this.find(record.kind, record.id)
      if (!ours || order(ours) < order(record)) this.put(record)
    }
  }

  find(kind: string, id: string): JobRecord | null {
    return this.#known.find((one) => one.kind === kind && one.id === id) ?? null
  }

  /** The records of these kinds, the one that changed last at the end. */
  of(...kinds: string[]): JobRecord[] {
    return this.#known.filter(({ kind }) => kinds.includes(kind))
  }

  /** In memory only: `save` writes. */
  put(record: JobRecord): void {
    this.#known = [...this.#without(record), record]
  }

  /** Writes first: if that fails, nothing has changed here. */
  commit(record: JobRecord): void {
    this.#write([...this.#without(record), record])
    this.put(record)
  }

  /** Drops the oldest of `kind` above `kept`; never those that `isNeeded`. */
  bound(kind: string, kept: number, isNeeded: (id: string) => boolean): void {
    const idle = this.of(kind).filter(({ id }) => !isNeeded(id))
    const dropped = new Set(idle.slice(0, Math.max(0, idle.length - kept)))
    if (dropped.size > 0) this.#known = this.#known.filter((one) => !dropped.has(one))
  }

  save(): void {
    this.#write(this.#known)
  }

  #without({ kind, id }: JobRecord): JobRecord[] {
    return this.#known.filter((one) => one.kind !== kind || one.id !== id)
  }

  /**
   * The former files first: an agent that knows jobs does not read there what another such agent wrote, so a crash
   * between the writes leaves a job that has not started as it was.
   */
  #write(records: JobRecord[]): void {
    for (const former of this.#former) {
      const content = former.convert(records)
      const json = JSON.stringify(content)
      if (content === null || json === this.#written.get(former)) continue
      former.write(content)
      this.#written.set(former, json)
    }
    this.#disk.writeJobs([...this.#foreign, ...records])
  }
}

const order = ({ state }: JobRecord): number => ['accepted', 'started', 'ended'].indexOf(state)

import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { fingerprint, firstCertificate } from '../identity/certificate.ts'
import { readJson, writeJsonDurably } from '../lib/durableJson.ts'
import { writeFileDurably } from '../lib/durableFile.ts'

const machineSchema = z.object({
  machine: z.string(),
  cluster: z.string(),
  /** How the others reach it, and the virtual addresses: as the cluster file says. */
  address: z.string(),
  addresses: z.array(z.string()),
})
const obeyedSchema = z.object({
  id: z.string(),
  attempt: z.number(),
  term: z.number(),
  position: z.number(),
  /** Of the machine's start in which it was obeyed. */
  mark: z.string(),
  /** It was seen to have begun. */
  begun: z.boolean(),
})
const ordersSchema = z.record(z.string(), obeyedSchema)

type Obeyed = z.infer<typeof obeyedSchema>
export type KnownMachine = z.infer<typeof machineSchema>

/** What the root part knows by itself, in a folder that only root can look into: whom it obeys, and what it has obeyed. */
export class RootFolder {
  readonly path: string

  constructor(data: string) {
    this.path = join(data, 'privileged')
  }

  get exists(): boolean {
    return existsSync(this.path)
  }

  /** The folder above is the agent's as well: what the agent has put in this one's place is not used. */
  check(): void {
    const about = lstatSync(this.path)
    if (!about.isDirectory() || about.uid !== (process.getuid?.() ?? 0) || (about.mode & 0o077) !== 0)
      throw new Error(`${this.path} is not a folder of root alone: somebody has put something in its place`)
  }

  /**
   * What it knows of this authority's machine already, it keeps: orders that the controller has signed may have changed it, and
   * whoever asks may have read it from where the agent writes.
   */
  make(machine: KnownMachine, authority: string): void {
    if (!this.exists) mkdirSync(this.path, { mode: 0o700 })
    this.check()
    chmodSync(this.path, 0o700)
    if (existsSync(join(this.path, 'machine.json')) && fingerprint(this.authority) === fingerprint(authority)) return
    writeFileDurably(join(this.path, 'authority.pem'), firstCertificate(authority))
    this.writeMachine(machine)
  }

  get authority(): string {
    return readFileSync(join(this.path, 'authority.pem'), 'utf8')
  }

  readMachine(): KnownMachine {
    return machineSchema.parse(readJson(join(this.path, 'machine.json')))
  }

  writeMachine(machine: KnownMachine): void {
    writeJsonDurably(join(this.path, 'machine.json'), machine)
  }

  obeyed(kind: string): Obeyed | null {
    return ordersSchema.parse(readJson(join(this.path, 'orders.json')) ?? {})[kind] ?? null
  }

  /** On disk before it is done: so an order is never obeyed twice. */
  remember(kind: string, obeyed: Obeyed): void {
    const all = ordersSchema.parse(readJson(join(this.path, 'orders.json')) ?? {})
    writeJsonDurably(join(this.path, 'orders.json'), { ...all, [kind]: obeyed })
  }
}

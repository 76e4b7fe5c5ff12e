import { chmodSync, existsSync, lstatSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { fingerprint, firstCertificate } from '../identity/certificate.ts'
import { readJson, writeJsonDurably } from '../lib/durableJson.ts'
import { writeFileDurably } from '../lib/durableFile.ts'
import { privilegedFolder } from '../layout/dataFolder.ts'

const machineSchema = z.object({
  machine: z.string(),
  cluster: z.string(),
  /** Address at which other machines reach this machine, and the virtual addresses, both from the cluster file. */
  address: z.string(),
  addresses: z.array(z.string()),
})
const obeyedSchema = z.object({
  id: z.string(),
  attempt: z.number(),
  term: z.number(),
  position: z.number(),
  /** Identifies the start of the machine (boot) in which the order was obeyed. */
  mark: z.string(),
  /** Whether the work was seen to have begun. */
  begun: z.boolean(),
})
const ordersSchema = z.record(z.string(), obeyedSchema)

type Obeyed = z.infer<typeof obeyedSchema>
export type KnownMachine = z.infer<typeof machineSchema>

/** Throws if another user could change the folder, or has put it there. */
export function mustBeOfRoot(path: string, mode = 0o022): void {
  const about = lstatSync(path, { throwIfNoEntry: false })
  if (!about) throw new Error(`${path} does not exist`)
  if (!about.isDirectory() || about.uid !== (process.getuid?.() ?? 0) || (about.mode & mode) !== 0)
    throw new Error(
      `${path} is not a folder that only root can ${mode === 0o022 ? 'change' : 'access'}: another user has replaced it`,
    )
}

/**
 * State of the privileged helper in a folder that only root can read: the authority it obeys, and the orders it has
 * obeyed.
 */
export class RootFolder {
  readonly path: string

  constructor(data: string) {
    this.path = privilegedFolder(data)
  }

  get exists(): boolean {
    return existsSync(this.path)
  }

  /** The parent folder also belongs to the agent: a folder that the agent put in the place of this one is refused. */
  check(): void {
    mustBeOfRoot(this.path, 0o077)
  }

  /**
   * Keeps existing knowledge about the machine if the authority is the same: signed orders of the controller may have
   * changed it, and the caller may have read its input from a place that the agent can write.
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

  /** Written to disk before the work begins, so that no order is obeyed twice. */
  remember(kind: string, obeyed: Obeyed): void {
    const all = ordersSchema.parse(readJson(join(this.path, 'orders.json')) ?? {})
    writeJsonDurably(join(this.path, 'orders.json'), { ...all, [kind]: obeyed })
  }
}

import { chmodSync, closeSync, constants, fstatSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { usualAdvertMs } from '../../../definitions/addresses/bounds.ts'
import type { HeldAddress } from '../address.ts'

/** Settings of the guard, written once by the process that sets up keepalived. */
export interface GuardSettings {
  machine: string
  interface: string
  addresses: string[]
  /** The socket on which HAProxy's worker answers; `null`: another balancer, which the guard does not check. */
  haproxy: string | null
  /** Interval in ms at which the holder of an address advertises it. */
  advert: number
}

/** The last message of the controller as the agent received it. Written again whenever the controller answers. */
export interface Word {
  /**
   * CLOCK_MONOTONIC, ms: when the controller was last heard. The clock starts again with each boot, as the folder does.
   */
  heardAt: number
  eligible: boolean
  yields: string[]
  refused: string[]
  othersServe: boolean
}

/** The guard's report about this machine. */
export interface GuardState {
  /** CLOCK_MONOTONIC, ms. */
  at: number
  held: HeldAddress[]
  /** The reason why this machine takes no address, as text. */
  withheld: string | null
  /** The problem that keeps this machine from taking an address although it may, as text. */
  trouble: string | null
  reaches: string[]
}

/** Size limit of one of these files; a hundred addresses take a few thousand bytes. */
const mostBytes = 65_536

/** Milliseconds of a clock that all processes of this boot share, and that no process sets. */
export const bootMs = (): number => Number(process.hrtime.bigint() / 1_000_000n)

/** Readers see the whole file or none; the folder is in memory, so nothing is synced. */
export function writeWhole(path: string, value: Word | GuardState | GuardSettings): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(value)}\n`, { mode: 0o644 })
  // This holds for any umask: the reader runs as another user than the writer.
  chmodSync(`${path}.new`, 0o644)
  renameSync(`${path}.new`, path)
}

/** `null` if there is no file or no valid content: Tandem itself writes the file, always as a whole. */
export function readWord(path: string): Word | null {
  const found = readRecord(path)
  if (!found || typeof found['heardAt'] !== 'number') return null
  return {
    heardAt: found['heardAt'],
    eligible: found['eligible'] !== false,
    yields: texts(found['yields']),
    refused: texts(found['refused']),
    othersServe: found['othersServe'] === true,
  }
}

export function readState(path: string): GuardState | null {
  const found = readRecord(path)
  if (!found || typeof found['at'] !== 'number' || !Array.isArray(found['held'])) return null
  const held = found['held'].filter(isHeld)
  const text = (value: unknown): string | null => (typeof value === 'string' ? value : null)
  const [withheld, trouble] = [text(found['withheld']), text(found['trouble'])]
  return { at: found['at'], held, withheld, trouble, reaches: texts(found['reaches']) }
}

export function readGuardSettings(path: string): GuardSettings {
  const found = readRecord(path)
  const [machine, card, haproxy] = [found?.['machine'], found?.['interface'], found?.['haproxy']]
  if (typeof machine !== 'string' || typeof card !== 'string') {
    throw new Error(
      `${path} has no settings for the guard: the agent writes this file; check that the agent runs: systemctl status tandem-agent`,
    )
  }
  const addresses = texts(found?.['addresses'])
  const advert = typeof found?.['advert'] === 'number' ? found['advert'] : usualAdvertMs
  return { machine, interface: card, addresses, haproxy: typeof haproxy === 'string' ? haproxy : null, advert }
}

function readRecord(path: string): Record<string, unknown> | null {
  try {
    const value: unknown = JSON.parse(readPlainFile(path))
    return typeof value === 'object' && value !== null ? (value as Record<string, unknown>) : null // any object is one
  } catch {
    return null
  }
}

/** Follows no link and waits for no pipe: the writer of the file has fewer rights than the reader. */
function readPlainFile(path: string): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const about = fstatSync(file)
    if (!about.isFile() || about.size > mostBytes) throw new Error(`${path} is not a small regular file`)
    return readFileSync(file, 'utf8')
  } finally {
    closeSync(file)
  }
}

const texts = (value: unknown): string[] =>
  Array.isArray(value) ? value.filter((one): one is string => typeof one === 'string') : []

const isHeld = (value: unknown): value is HeldAddress =>
  typeof value === 'object' &&
  value !== null &&
  'address' in value &&
  typeof value.address === 'string' &&
  'since' in value &&
  typeof value.since === 'string'

import { chmodSync, closeSync, constants, fstatSync, openSync, readFileSync, renameSync, writeFileSync } from 'node:fs'
import { usualAdvertMs } from '../../../definitions/bounds.ts'
import type { HeldAddress } from '../address.ts'

/** What the guard is told once, by whoever set up keepalived. */
export interface GuardSettings {
  machine: string
  interface: string
  addresses: string[]
  /** The socket on which HAProxy's worker answers; `null`: another balancer, which is not looked at. */
  haproxy: string | null
  /** How often whoever holds an address says so, in ms. */
  advert: number
}

/** What the controller last said, as the agent has it. Written anew whenever the controller answers. */
export interface Word {
  /** CLOCK_MONOTONIC, ms: when the controller was last heard. It begins anew with each boot, as the folder does. */
  heardAt: number
  eligible: boolean
  yields: string[]
  refused: string[]
  othersServe: boolean
}

/** What the guard says of this machine. */
export interface GuardState {
  /** CLOCK_MONOTONIC, ms. */
  at: number
  held: HeldAddress[]
  /** Why this machine takes no address, in words. */
  withheld: string | null
  /** Why it could take none although it may, in words. */
  trouble: string | null
  reaches: string[]
}

/** Of one of these files; a hundred addresses take a few thousand. */
const mostBytes = 65_536

/** Milliseconds of a clock that all processes of this boot share, and that nobody sets. */
export const bootMs = (): number => Number(process.hrtime.bigint() / 1_000_000n)

/** Whole or not at all for whoever reads; the folder is memory, so nothing is synced. */
export function writeWhole(path: string, value: Word | GuardState | GuardSettings): void {
  writeFileSync(`${path}.new`, `${JSON.stringify(value)}\n`, { mode: 0o644 })
  // Whatever the umask: who reads is another user than who writes.
  chmodSync(`${path}.new`, 0o644)
  renameSync(`${path}.new`, path)
}

/** `null` where there is none, or none that makes sense: our own parts write it, always whole. */
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
    throw new Error(`${path} does not say what to guard: the agent writes it; is it running?`)
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

/** No link is followed, and no pipe waited for: who writes the word has fewer rights than who reads it. */
function readPlainFile(path: string): string {
  const file = openSync(path, constants.O_RDONLY | constants.O_NOFOLLOW | constants.O_NONBLOCK)
  try {
    const about = fstatSync(file)
    if (!about.isFile() || about.size > mostBytes) throw new Error(`${path} is no small plain file`)
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

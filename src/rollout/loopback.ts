import { sha256 } from '../lib/hash.ts'
import type { State } from './state.ts'

/**
 * Address of local routes on a laptop: macOS has no other loopback address, and no cluster is there to reach them from.
 */
export const laptopAddress = '127.0.0.1'

/** 127.77.0.0/16 without the addresses that end in .0 and .255, which some programs treat as network addresses. */
const net = '127.77'
const perBlock = 254
const addresses = 256 * perBlock

/**
 * The loopback address of a service, the same on every machine and for ever: the log records it (`LoopbackAssigned`),
 * also for a service that was removed. A service without an address gets the one that the hash of its name selects, or
 * the next free one; so a cluster that lost its log most likely chooses the same address again. `null`: every address
 * belongs to another service.
 */
export function loopbackOf(state: State, service: string): string | null {
  const known = state.loopbacks[service]
  if (known !== undefined) return known
  const taken = new Set(Object.values(state.loopbacks))
  const first = Number.parseInt(sha256(service).slice(0, 8), 16)
  for (let step = 0; step < addresses; step++) {
    const address = nth((first + step) % addresses)
    if (!taken.has(address)) return address
  }
  return null
}

const nth = (index: number): string => `${net}.${Math.floor(index / perBlock)}.${(index % perBlock) + 1}`

import { sha256 } from '../lib/hash.ts'
import type { State } from './state.ts'

/** Where local routes listen on a laptop: macOS has no other loopback address, and no cluster is there to reach them from. */
export const laptopAddress = '127.0.0.1'

/** 127.77.0.0/16 without the addresses that end in .0 and .255, which some programs take for networks. */
const net = '127.77'
const perBlock = 254
const addresses = 256 * perBlock

/**
 * The loopback address of a service, the same on every machine and for ever: the log remembers it (`LoopbackAssigned`), also of
 * a service that was removed. One that has none yet gets the address that the hash of its name leads to, or the next free one:
 * so a cluster whose log is lost most likely chooses the same again. `null`: every address is another service's.
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

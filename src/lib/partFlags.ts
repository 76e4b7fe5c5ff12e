import { join } from 'node:path'
import { readJson } from './durableJson.ts'

/** The flags of all versions whose package.json does not name theirs. */
const flagsBefore = ['--max-semi-space-size=2', '--expose-gc']

/**
 * Node's flags for controller and agents of the program in this folder (`partFlags` in its package.json). They mostly
 * wait, and share a laptop with other programs, so they should use little memory. Without these flags, Node's young
 * generation grows to 48 MB under load and keeps that size; with 6 MB, `make bench-balancer` shows no cost for a proxied
 * request. `gc` lets an agent return the memory of a rollout.
 */
export function partFlagsIn(folder: string): readonly string[] {
  const about = readJson(join(folder, 'package.json'))
  const named = typeof about === 'object' && about !== null && 'partFlags' in about ? about.partFlags : null
  return Array.isArray(named) ? named.map(String) : flagsBefore
}

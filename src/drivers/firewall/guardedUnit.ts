import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { UnitRecord } from '../supervisor/systemd/unitFiles.ts'
import type { GuardedUnit } from './rulesOf.ts'

/** A unit, as far as the firewall depends on it. The lines are those of unitText.ts; each occurs at most once. */
export function guardedUnit(unitFolder: string, { unit, service, port }: UnitRecord): GuardedUnit | null {
  const text = readFileSync(join(unitFolder, unit), 'utf8')
  const user = /^User=(\S+)$/m.exec(text)?.[1]
  const networks = /^IPAddressAllow=localhost(.*)$/m.exec(text)?.[1]
  if (user === undefined) return null
  return { service, user, port, networks: networks === undefined ? null : networks.split(' ').filter(isNetwork) }
}

const isNetwork = (word: string): boolean => word !== '' && word !== 'localhost'

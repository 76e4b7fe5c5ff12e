import { existsSync, readFileSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { agentUnit, unitFolder } from '../layout/units.ts'
import { commandOfText } from '../systemd/unitControl.ts'
import { agentParts, controllerParts, digestOf, type Installation } from './parts.ts'
import { mustBeSeen } from './seenByPart.ts'
import { groupsHere } from './setUpParts.ts'

/** True if Tandem has written the unit: an operator may run a part in a unit of his own, which stays as it is. */
export const isOurs = (unit: string): boolean => textOf(unit)?.startsWith('# Written by Tandem') ?? false

/**
 * The parts that this version sets up on a machine on which this unit is installed already. The command lines of the
 * installed program stay; `null`: the unit does not belong to Tandem. Throws if they could not run as their user.
 */
export async function describeInstalled(unit: string, data: string): Promise<Installation | null> {
  const text = textOf(unit)
  const argv = text === null ? null : commandOfText(text)
  const name = /^Description=Tandem's (?:agent of machine|controller of) (\S+)$/m.exec(text ?? '')?.[1]
  if (!isOurs(unit) || !argv || name === undefined) return null
  const at = wordsAt(argv)
  const command = (one: string, words: readonly string[]): readonly string[] =>
    commandOfText(textOf(one) ?? '') ?? [...argv.slice(0, at), ...words]
  if (unit === agentUnit) return agentParts({ data, name, command, groups: await groupsHere() })
  // Versions before its helper ran as root, from and in any folder.
  mustBeSeen([...argv.slice(0, at), dirname(data)], { part: 'controller', again: 'run tandem upgrade again' })
  return controllerParts({ data, name, command }, argv.slice(at))
}

/** The words after the program in the text of this unit. */
export function installedWords(unit: string): string[] {
  const argv = commandOfText(textOf(unit) ?? '') ?? []
  return argv.slice(wordsAt(argv))
}

const wordsAt = (argv: readonly string[]): number => argv.findIndex((word) => word === 'agent' || word === 'controller')

/** Digest of the parts to which this unit belongs. */
export const digestFor = (unit: string): string => digestOf(unit === agentUnit ? 'agent' : 'controller')

function textOf(unit: string): string | null {
  const file = join(unitFolder, unit)
  return existsSync(file) ? readFileSync(file, 'utf8') : null
}

import { haproxyUser } from '../layout/users.ts'
import { groupExists } from '../lib/accounts.ts'
import { readVersion } from '../lib/version.ts'
import { groupsForAgent, type Installation } from './parts.ts'
import { installParts, namesOf } from './partsChange.ts'
import { installed, PartsFiles } from './partsFiles.ts'
import { systemdPartsHost } from './partsHost.ts'

/** Installs parts and starts them, or restarts them if they run. A repeated call finishes a call that was cut off. */
export async function setUpParts(data: string, parts: Installation, digest: string): Promise<void> {
  const host = systemdPartsHost()
  await installParts(parts, host)
  const names = namesOf(parts)
  await host.sync(names.folders)
  new PartsFiles(data).record = { version: readVersion(), digest, program: installed, ...names }
  for (const { name } of parts.units) await host.takeUp(name)
}

/** The groups for the agent that this machine has, or has once the agent's parts are installed. */
export async function groupsHere(): Promise<string[]> {
  const has = async (group: string): Promise<boolean> => group === haproxyUser || groupExists(group)
  const found = await Promise.all(groupsForAgent.map(async (group) => ((await has(group)) ? [group] : [])))
  return found.flat()
}

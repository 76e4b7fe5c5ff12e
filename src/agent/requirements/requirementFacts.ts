import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { requiredPackage } from '../../definitions/requires/requiredPackage.ts'
import type { SupervisorDriver } from '../../drivers/supervisor/supervisor.ts'
import type { Ask } from '../../protocol/ask.ts'
import type { RequirementFacts } from '../../protocol/requirements.ts'
import type { DebianPackages } from './debianPackages.ts'

type Asked = Omit<Extract<Ask, { kind: 'requirements' }>, 'kind' | 'id'>

interface Parts {
  supervisor: Pick<SupervisorDriver, 'cannotJail'>
  /** Memory and disk that are left, in bytes; `null`: not known. */
  load: () => Promise<{ memory: { availableBytes: number } | null; disk: { freeBytes: number } | null }>
  packages: Pick<DebianPackages, 'missing'>
  env: NodeJS.ProcessEnv
}

/** As Debian names the processors that Node names otherwise. */
const debianNames: Record<string, string> = { x64: 'amd64', ia32: 'i386', arm: 'armhf' }

/** Looks up on this machine what a release requires. */
export async function requirementFacts(
  asked: Asked,
  { supervisor, load, packages, env }: Parts,
): Promise<RequirementFacts> {
  const folders = (asked.path ?? '${PATH}')
    .replaceAll('${PATH}', env['PATH'] ?? '')
    .split(':')
    .filter(isAbsolute)
  const [found, missingPackages, { memory, disk }] = await Promise.all([
    Promise.all(asked.commands.map((one) => isInstalled(one, folders))),
    packages.missing(asked.packages.map(requiredPackage)),
    load(),
  ])
  return {
    missingCommands: asked.commands.filter((_, index) => !found[index]),
    missingPackages,
    memoryBytes: memory?.availableBytes ?? null,
    diskBytes: disk?.freeBytes ?? null,
    architecture: debianNames[process.arch] ?? process.arch,
    cannotJail: asked.jail ? (supervisor.cannotJail?.(asked.jail) ?? null) : null,
  }
}

async function isInstalled(command: string, folders: readonly string[]): Promise<boolean> {
  const places = isAbsolute(command) ? [command] : folders.map((folder) => join(folder, command))
  return (await Promise.all(places.map(isProgram))).includes(true)
}

const isProgram = (path: string): Promise<boolean> =>
  access(path, constants.X_OK).then(
    async () => (await stat(path)).isFile(),
    () => false,
  )

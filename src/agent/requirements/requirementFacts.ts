import { constants } from 'node:fs'
import { access, stat } from 'node:fs/promises'
import { isAbsolute, join } from 'node:path'
import { requiredPackage, type RequiredPackage } from '../../definitions/requires/requiredPackage.ts'
import type { SupervisorDriver } from '../../drivers/supervisor/supervisor.ts'
import { exec } from '../../lib/exec.ts'
import type { Ask } from '../../protocol/ask.ts'
import type { RequirementFacts } from '../../protocol/requirements.ts'

type Asked = Omit<Extract<Ask, { kind: 'requirements' }>, 'kind' | 'id'>

interface Parts {
  supervisor: Pick<SupervisorDriver, 'cannotJail'>
  /** Memory and disk that are left, in bytes; `null`: not known. */
  load: () => Promise<{ memory: { availableBytes: number } | null; disk: { freeBytes: number } | null }>
  env: NodeJS.ProcessEnv
}

/** dpkg reads its whole database for each answer: some tens of milliseconds. */
const dpkgMs = 4_000
/** As Debian names the processors that Node names otherwise. */
const debianNames: Record<string, string> = { x64: 'amd64', ia32: 'i386', arm: 'armhf' }

/** Looks up on this machine what a release requires. */
export async function requirementFacts(asked: Asked, { supervisor, load, env }: Parts): Promise<RequirementFacts> {
  const folders = (asked.path ?? '${PATH}')
    .replaceAll('${PATH}', env['PATH'] ?? '')
    .split(':')
    .filter(isAbsolute)
  const [found, missingPackages, { memory, disk }] = await Promise.all([
    Promise.all(asked.commands.map((one) => isInstalled(one, folders))),
    packagesMissing(asked.packages),
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

async function packagesMissing(all: readonly string[]): Promise<RequirementFacts['missingPackages']> {
  if (all.length === 0) return []
  const wanted = all.map(requiredPackage)
  const form = String.raw`\${db:Status-Status} \${Package} \${Version}\n`.replaceAll('\\$', '$')
  let told: string
  try {
    // It exits with 1 if it does not know one of them, and tells of the others all the same.
    told = (await exec(['dpkg-query', '-W', `-f=${form}`, ...wanted.map(({ name }) => name)], { timeoutMs: dpkgMs }))
      .out
  } catch {
    return null // no dpkg
  }
  const installed = new Map<string, string>()
  for (const line of told.split('\n')) {
    const [status, name = '', version = ''] = line.split(' ')
    if (status === 'installed') installed.set(name, version)
  }
  const judged = await Promise.all(
    wanted.map(async (one) => ({ one, isMet: await isMet(one, installed.get(one.name) ?? null) })),
  )
  return judged.flatMap(({ one, isMet: met }) =>
    met ? [] : [{ wanted: one.text, installed: installed.get(one.name) ?? null }],
  )
}

async function isMet({ version }: RequiredPackage, installed: string | null): Promise<boolean> {
  if (installed === null) return false
  if (version === null) return true
  const { code } = await exec(['dpkg', '--compare-versions', installed, version.relation, version.than], {
    timeoutMs: dpkgMs,
  })
  return code === 0
}

import { driverPrograms } from '../definitions/driverKinds.ts'
import type { ProgramVersion } from '../doctor/machineFacts.ts'
import { exec } from '../lib/exec.ts'

const versionMs = 10_000
/** Folders that an agent's PATH may lack. */
const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** Versions of the Node that runs this code, and of the programs that the machine's drivers need. */
export async function programVersions(needed: Exclude<ProgramVersion['program'], 'node'>[]): Promise<ProgramVersion[]> {
  const found = needed.map(async (program) => ({ program, version: await versionOf(driverPrograms[program].version) }))
  return [{ program: 'node', version: process.versions.node }, ...(await Promise.all(found))]
}

/**
 * Returns `null` if the program cannot be run. The version is the number after the program's name, `version` or `v`.
 */
async function versionOf(argv: readonly string[]): Promise<string | null> {
  try {
    const { out, err } = await exec(argv, { timeoutMs: versionMs, env: { PATH: path, LANG: 'C.UTF-8' } })
    return /(?:version |systemd |v)(\d+(?:\.\d+)*)/i.exec(`${out}${err}`)?.[1] ?? null
  } catch {
    return null
  }
}

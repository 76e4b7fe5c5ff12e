import type { ProgramVersion } from '../doctor/machineFacts.ts'
import { exec } from '../lib/exec.ts'

const versionMs = 10_000
const commands: Record<Exclude<ProgramVersion['program'], 'node'>, string[]> = {
  systemd: ['systemctl', '--version'],
  haproxy: ['haproxy', '-v'],
  keepalived: ['keepalived', '--version'],
}
/** Where an agent's PATH may not lead. */
const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/** The node that runs this, and those programs that the machine's drivers need. */
export async function programVersions(needed: Exclude<ProgramVersion['program'], 'node'>[]): Promise<ProgramVersion[]> {
  const found = needed.map(async (program) => ({ program, version: await versionOf(commands[program]) }))
  return [{ program: 'node', version: process.versions.node }, ...(await Promise.all(found))]
}

/** `null` where it cannot be run. The first number with a dot, or after the program's name, is the version. */
async function versionOf(argv: string[]): Promise<string | null> {
  try {
    const { out, err } = await exec(argv, { timeoutMs: versionMs, env: { PATH: path, LANG: 'C.UTF-8' } })
    return /(?:version |systemd |v)(\d+(?:\.\d+)*)/i.exec(`${out}${err}`)?.[1] ?? null
  } catch {
    return null
  }
}

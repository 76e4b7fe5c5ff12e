import { createHash } from 'node:crypto'
import { cpSync, existsSync, mkdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { exec, execOrThrow } from '../../src/lib/exec.ts'
import { exclusive } from './exclusive.ts'
import { labFolder } from './lab.ts'
import type { LabMachine } from './labMachine.ts'

const installMs = 300_000

/**
 * Puts `node_modules` of an example into its folder on a machine, which has neither npm nor a way to the internet: this
 * computer installs them, once. Resolves with a reason if it cannot.
 */
export async function installModules(machine: LabMachine, example: string, folder: string): Promise<string | null> {
  const wanted = readFileSync(join(example, 'package.json'))
  const place = join(labFolder, `npm-${createHash('sha256').update(wanted).digest('hex').slice(0, 12)}`)
  mkdirSync(labFolder, { recursive: true })
  const lock = await exclusive(`${place}.lock`, installMs)
  if (!lock) throw new Error(`another installation in ${place} has not ended within ${installMs} ms`)
  try {
    if (!existsSync(place)) {
      const partial = `${place}.partial`
      rmSync(partial, { recursive: true, force: true })
      mkdirSync(partial)
      cpSync(join(example, 'package.json'), join(partial, 'package.json'))
      const npm = ['npm', 'install', '--prefix', partial, '--omit=dev', '--no-audit', '--no-fund', '--loglevel=error']
      const { code, err } = await exec(npm, { timeoutMs: installMs })
      if (code !== 0) return `npm cannot install the packages of ${example}: ${err}`
      renameSync(partial, place)
    }
  } finally {
    await lock.release()
  }
  await machine.must(['mkdir', '-p', folder])
  const [file = '', ...enter] = machine.entering(['tar', '-x', '-C', folder])
  await execOrThrow(['bash', '-c', 'set -o pipefail; tar -c -C "$0" node_modules | "$@"', place, file, ...enter])
  return null
}

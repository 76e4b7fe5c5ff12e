import { existsSync, mkdirSync, mkdtempSync, readdirSync, readFileSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { execOrThrow } from '../../lib/exec.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { removeTree } from '../../releases/removeTree.ts'

/** An unpacked version of Tandem, including Node. */
interface NewProgram extends AsyncDisposable {
  folder: string
  version: string
}

const schema = z.object({ name: z.literal('tandem'), version: z.string() })
const parts = ['bin/node', 'bin/tandem', 'lib/main.js', 'lib/trial.js']
const unpackMs = 120_000

/** Opens the PATH of `tandem upgrade`: a folder, or an archive, which is unpacked below `workshop` until disposal. */
export async function openProgram(path: string, workshop: string): Promise<NewProgram> {
  if (!existsSync(path)) throw notOne(path, 'no such file or folder')
  if (statSync(path).isDirectory())
    return { folder: path, version: versionIn(path, path), [Symbol.asyncDispose]: async () => {} }
  mkdirSync(workshop, { recursive: true })
  const unpacked = mkdtempSync(join(workshop, 'upgrade-'))
  const dispose = (): Promise<void> => removeTree(unpacked)
  try {
    const unpacking = ['tar', '-xzf', path, '-C', unpacked, '--no-same-owner']
    await execOrThrow(unpacking, { timeoutMs: unpackMs }).catch((cause: unknown) => {
      throw notOne(path, `tar cannot unpack it: ${cause instanceof Error ? cause.message : String(cause)}`, cause)
    })
    const folder = join(unpacked, readdirSync(unpacked)[0] ?? '')
    return { folder, version: versionIn(folder, path), [Symbol.asyncDispose]: dispose }
  } catch (error) {
    await dispose()
    throw error
  }
}

function versionIn(folder: string, path: string): string {
  const missing = parts.find((part) => !existsSync(join(folder, part)))
  if (missing !== undefined) throw notOne(path, `${missing} is missing`)
  const about = schema.safeParse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')))
  if (!about.success) throw notOne(path, 'its package.json names no version of Tandem')
  return about.data.version
}

function notOne(path: string, why: string, cause?: unknown): OperatorError {
  const next = 'use a tandem-VERSION-linux-….tar.gz, or the folder it was unpacked to'
  return new OperatorError('E_USAGE', `${path} is not an archive of Tandem: ${why}`, { subject: path, next, cause })
}

import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import type { Architecture } from './architecture.ts'

export interface NodeBinary {
  file: string
  version: string
  licenceFile: string
}

const schema = z.object({ version: z.string() })
const installMs = 300_000

/**
 * The Node that package-lock.json names for `architecture`. For an architecture other than this computer's, npm
 * downloads it to `root`/tmp and checks it against the hash in the lock file.
 */
export function nodeBinary(root: string, architecture: Architecture): NodeBinary {
  const name = `node-linux-${architecture.name}`
  const installed = join(root, 'node_modules', name)
  const folder = existsSync(installed) ? installed : fetched(root, architecture, name)
  const { version } = schema.parse(JSON.parse(readFileSync(join(folder, 'package.json'), 'utf8')))
  return { file: join(folder, 'bin/node'), version, licenceFile: join(folder, 'LICENSE') }
}

function fetched(root: string, { name: cpu }: Architecture, name: string): string {
  const workshop = join(root, 'tmp', `dist-${cpu}`)
  mkdirSync(workshop, { recursive: true })
  for (const file of ['package.json', 'package-lock.json']) cpSync(join(root, file), join(workshop, file))
  const options = ['--os=linux', `--cpu=${cpu}`, '--omit=dev', '--ignore-scripts', '--no-audit', '--no-fund']
  execFileSync('npm', ['ci', ...options, '--loglevel=error'], {
    cwd: workshop,
    timeout: installMs,
    stdio: ['ignore', 'ignore', 'inherit'],
  })
  return join(workshop, 'node_modules', name)
}

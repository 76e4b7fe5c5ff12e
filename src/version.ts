import { readFileSync } from 'node:fs'
import { join } from 'node:path'

/** The version in package.json: what the CLI, the controller and the agents say they are. */
export function readVersion(): string {
  const parsed: unknown = JSON.parse(readFileSync(join(import.meta.dirname, '../package.json'), 'utf8'))
  if (typeof parsed === 'object' && parsed !== null && 'version' in parsed) return String(parsed.version)
  throw new Error('package.json names no version')
}

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { programFolder } from './programFolder.ts'

/** The version in package.json, which the CLI, the controller and the agents report. */
export function readVersion(): string {
  const parsed: unknown = JSON.parse(readFileSync(join(programFolder, 'package.json'), 'utf8'))
  if (typeof parsed === 'object' && parsed !== null && 'version' in parsed) return String(parsed.version)
  throw new Error('package.json names no version')
}

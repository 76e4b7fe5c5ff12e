import { existsSync, mkdirSync, readdirSync, readFileSync, readlinkSync, rmSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileDurably } from '../../../lib/durableFile.ts'

/** The data that a unit of Tandem records about itself. */
export interface UnitRecord {
  unit: string
  service: string
  id: string
  once: boolean
  signal: string
  withinMs: number
  /** The program itself notifies systemd when it has started. */
  notifies: boolean
  port: number | null
  /** The controller has signed an order for it. */
  isSigned: boolean
}

/** The files of instances on this machine: a unit, its environment, and the link that starts it after a reboot. */
export interface UnitFiles {
  environmentFile(unit: string): string
  write(unit: string, text: string, environment: string): void
  /** Makes systemd start the unit at each boot. */
  enable(unit: string): void
  remove(unit: string): void
}

export function openUnitFiles(unitFolder: string, environmentFolder: string): UnitFiles {
  const wants = join(unitFolder, 'multi-user.target.wants')
  mkdirSync(environmentFolder, { recursive: true, mode: 0o700 })
  const environmentFile = (unit: string): string => join(environmentFolder, unit.replace(/\.service$/, '.env'))
  return {
    environmentFile,
    write: (unit, text, environment) => {
      writeFileDurably(environmentFile(unit), environment)
      writeFileDurably(join(unitFolder, unit), text, 0o644)
    },
    enable: (unit) => link(join(wants, unit), `../${unit}`),
    remove: (unit) => {
      for (const file of [join(wants, unit), join(unitFolder, unit), environmentFile(unit)])
        rmSync(file, { force: true })
    },
  }
}

/** Every unit of Tandem on this machine, no matter which agent wrote it. */
export const listUnits = (unitFolder: string): UnitRecord[] =>
  readdirSync(unitFolder)
    .filter((name) => name.startsWith('tandem-') && name.endsWith('.service'))
    .flatMap((unit) => readRecord(unit, join(unitFolder, unit)) ?? [])

function link(file: string, target: string): void {
  mkdirSync(join(file, '..'), { recursive: true })
  if (existsSync(file) && readlinkSync(file) === target) return
  rmSync(file, { force: true })
  symlinkSync(target, file)
}

/** Returns `null` for a unit that is not an instance of Tandem. */
export const readRecord = (unit: string, file: string): UnitRecord | null =>
  readRecordOf(unit, readFileSync(file, 'utf8'))

/** The same of a unit that may be missing. */
export function findRecord(unitFolder: string, unit: string): UnitRecord | null {
  const file = join(unitFolder, unit)
  return existsSync(file) ? readRecord(unit, file) : null
}

/** The same from the text of the unit. */
export function readRecordOf(unit: string, text: string): UnitRecord | null {
  const section = text.split('\n[X-Tandem]\n')[1]
  if (section === undefined) return null // the agent's own unit, or a unit of a person
  const said = new Map(
    section
      .split('\n')
      .map((line): [string, string] => [line.split('=', 1)[0] ?? '', line.slice(line.indexOf('=') + 1)]),
  )
  const [service, id, signal] = [said.get('Service'), said.get('Instance'), said.get('Signal')]
  if (service === undefined || id === undefined || signal === undefined) return null
  const port = said.get('Port')
  return {
    ...{ unit, service, id, signal, once: said.get('Once') === 'yes' },
    notifies: said.get('Notify') === 'yes',
    isSigned: said.get('Signed') === 'yes',
    withinMs: Number(said.get('WithinMs')),
    port: port === undefined ? null : Number(port),
  }
}

import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import * as addresses from './addresses.ts'
import * as folders from './folders.ts'
import * as units from './units.ts'
import * as users from './users.ts'

const page = readFileSync(join(import.meta.dirname, '../../docs/files.md'), 'utf8')
const stringsOf = (module: object): string[] => Object.values(module).filter((value) => typeof value === 'string')
/** The administrator's journal group; the parent of the next two; systemd's own folder. */
const notOurs = [users.journalGroup, folders.dataParent]

it('docs/files.md names every folder, unit and user of Tandem', () => {
  const parts = [units.agentUnit, units.controllerUnit]
  const named = [
    ...[addresses, folders, units, users].flatMap(stringsOf),
    ...folders.runFolders,
    ...parts.flatMap((unit) => [units.trialUnit(unit), units.partsUnit(unit)]),
  ].filter((name) => !notOurs.includes(name))
  expect(named.length).toBeGreaterThan(25)
  expect(named.filter((name) => !page.includes(name))).toEqual([])
})

import { existsSync, readdirSync } from 'node:fs'
import type { Unit } from '../doctor/machineFacts.ts'
import { listUnits } from '../drivers/supervisor/systemd/unitFiles.ts'
import { systemctl } from '../systemd/units.ts'
import { unitFolder } from '../layout/units.ts'

const properties = ['Id', 'LoadState', 'ActiveState', 'UnitFileState', 'FragmentPath']
/** Most units in one command line: far below the kernel's limit. */
const mostUnits = 500

/**
 * Lists every unit with a name of Tandem: units with a file, units of which systemd still has processes, and `named`
 * units.
 */
export async function unitsHere(named: string[], kindOf: (unit: string) => Unit['own']): Promise<Unit[]> {
  const listed = await systemctl('list-units', '--all', '--plain', '--no-legend', 'tandem-*.service')
  const loaded = listed.split('\n').flatMap((line) => /^\s*(\S+\.service)/.exec(line)?.[1] ?? [])
  const written = readdirSync(unitFolder).filter((name) => /^tandem-.*\.service$/.test(name))
  const names = [...new Set([...loaded, ...written, ...named])].toSorted()
  const records = new Map(listUnits(unitFolder).map(({ unit, id, once }) => [unit, { id, once }]))
  const units: Unit[] = []
  for (let from = 0; from < names.length; from += mostUnits) {
    const some = names.slice(from, from + mostUnits)
    const shown = await systemctl('show', `--property=${properties.join(',')}`, '--', ...some)
    for (const block of shown.trim().split('\n\n')) {
      const said = (name: string): string => new RegExp(`^${name}=(.*)$`, 'm').exec(block)?.[1] ?? ''
      const [name, load = '', active = '', enabled = '', file = ''] = properties.map(said)
      if (!name) continue
      // systemd remembers a removed file until it reloads.
      const isThere = file === '' || existsSync(file)
      const about = { name, load: isThere ? load : 'not-found', active, enabled: enabled.startsWith('enabled') }
      units.push({ ...about, own: kindOf(name), instance: records.get(name) ?? null })
    }
  }
  return units
}

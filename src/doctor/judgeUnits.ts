import { isMaintenanceUnit } from '../lib/maintenanceUnit.ts'
import type { Finding } from '../protocol/checkup.ts'
import { wrong } from './findings.ts'
import type { Unit, Units } from './machineFacts.ts'
import { agentUnit } from './ownUnits.ts'

/** Of Tandem itself, wherever it put them. */
const parts = ['agent', 'controller', 'haproxy', 'keepalived', 'guard'].map((name) => `tandem-${name}.service`)

/** The root part, scripts that work on the machine, an upgrade under way. As one-off programs of services, they come and go. */
const passing = /^tandem-(?:privileged|address-script|(?:agent|controller)-trial)\.service$/

export function judgeUnits({ units, wanted, own }: Units): Finding[] {
  const there = new Set(units.flatMap(({ name, load }) => (load === 'not-found' ? [] : [name])))
  const ids = new Set(wanted)
  return [
    ...own.filter((name) => !there.has(name)).map(missing),
    ...units.flatMap((unit) => {
      if (parts.includes(unit.name)) return judgePart(unit)
      if (unit.load === 'not-found') return isGone(unit) ? [] : [remains(unit)]
      if (passing.test(unit.name) || isMaintenanceUnit(unit.name) || unit.instance?.once) return []
      return unit.instance !== null && ids.has(unit.instance.id) ? judgeInstance(unit) : [stray(unit)]
    }),
  ]
}

function missing(name: string): Finding {
  const next =
    name === agentUnit
      ? 'run here again what   tandem machine add NAME   prints: joining writes it anew (services go on); docs/machines.md'
      : `systemctl restart ${agentUnit}   writes it anew (services go on)`
  return wrong('units', `${name} is not there`, next)
}

/** systemd still knows its name, and nothing of it is left. */
const isGone = ({ active }: Unit): boolean => active === 'inactive' || active === 'failed'

function judgePart({ name, load, active, enabled }: Unit): Finding[] {
  if (load === 'not-found') return []
  const found: Finding[] = []
  if (active !== 'active' && active !== 'reloading')
    found.push(wrong('units', `${name} does not run: ${active}`, `journalctl -u ${name}; systemctl start ${name}`))
  if (!enabled) found.push(wrong('units', `${name} does not start after a reboot`, `systemctl enable ${name}`))
  return found
}

function judgeInstance({ name, active, enabled }: Unit): Finding[] {
  const found: Finding[] = []
  if (active === 'failed' || active === 'inactive')
    found.push(wrong('units', `${name} does not run: ${active}`, `systemctl status ${name}; systemctl start ${name}`))
  if (!enabled) found.push(wrong('units', `${name} does not start after a reboot`, `systemctl enable ${name}`))
  return found
}

function stray({ name, active, instance }: Unit): Finding {
  const what =
    instance === null ? 'is not of Tandem, by its content' : `is of an instance that nobody wants (${active})`
  const next = `if you do not know it: systemctl disable --now ${name}; rm /etc/systemd/system/${name}`
  return wrong('units', `stray unit: ${name} ${what}`, next)
}

function remains({ name, active }: Unit): Finding {
  const what = `stray processes: ${name} is ${active}, and has no unit file any more`
  return wrong('units', what, `systemd-cgls -u ${name}; systemctl stop ${name}`)
}

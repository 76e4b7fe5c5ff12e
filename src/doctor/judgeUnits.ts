import { agentUnit, partsUnit } from '../layout/units.ts'
import type { Finding } from '../protocol/checkup.ts'
import { wrong } from './findings.ts'
import type { Unit, Units } from './machineFacts.ts'

export function judgeUnits({ units, wanted, own, parts, areOld }: Units): Finding[] {
  const there = new Set(units.flatMap(({ name, load }) => (load === 'not-found' ? [] : [name])))
  const ids = new Set(wanted)
  return [
    ...own.filter((name) => !there.has(name)).map((name) => missing(name, parts.includes(name))),
    ...(areOld ? [old()] : []),
    ...units.flatMap((unit) => {
      if (unit.own === 'standing') return judgePart(unit)
      if (unit.load === 'not-found') return isGone(unit) ? [] : [remains(unit)]
      if (unit.own === 'passing' || unit.instance?.once) return []
      return unit.instance !== null && ids.has(unit.instance.id) ? judgeInstance(unit) : [stray(unit)]
    }),
  ]
}

function missing(name: string, isPart: boolean): Finding {
  const next = isPart
    ? 'run the command again that   tandem machine add NAME   prints: joining writes the unit again (services continue); see docs/machines.md'
    : `systemctl restart ${agentUnit}   writes the unit again (services continue)`
  return wrong('units', `${name} does not exist`, next)
}

function old(): Finding {
  const unit = partsUnit(agentUnit)
  return wrong(
    'units',
    "Tandem's own units, users and folders are still those of another version",
    `journalctl -u ${unit}   shows why; Tandem retries: systemctl restart ${agentUnit}   (services continue)`,
  )
}

/** systemd still knows the name, but no process of the unit is left. */
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
    instance === null
      ? 'does not belong to Tandem, by its content'
      : `belongs to an instance that no desired state wants (${active})`
  const next = `if you do not need it: systemctl disable --now ${name}; rm /etc/systemd/system/${name}`
  return wrong('units', `stray unit: ${name} ${what}`, next)
}

function remains({ name, active }: Unit): Finding {
  const what = `stray processes: ${name} is ${active}, but its unit file is gone`
  return wrong('units', what, `systemd-cgls -u ${name}; systemctl stop ${name}`)
}

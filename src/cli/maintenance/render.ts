import type { MaintenanceView } from '../../api/maintenance.ts'
import { machineAt, maintenanceTitle } from '../../api/maintenance.ts'
import { showSeconds } from '../duration.ts'
import type { Paint } from '../paint.ts'

/** The state of a maintenance, a line for each machine, and the next steps if it stopped. */
export function renderMaintenance(maintenance: MaintenanceView, paint: Paint): string {
  const { machines, state, reason, startedAt, finishedAt } = maintenance
  const took = finishedAt === null ? '' : ` (${showSeconds(Date.parse(finishedAt) - Date.parse(startedAt))})`
  const width = Math.max(...machines.map(({ machine }) => machine.length))
  return [
    `${paint(state === 'stopped' ? 'red' : 'bold', state)}  ${maintenanceTitle(maintenance)}${took}`,
    ...(reason ? [`  ${reason}`] : []),
    ...machines.map((one) => `  ${one.machine.padEnd(width)}  ${one.state}`),
    ...(state === 'stopped' ? nextSteps(maintenance) : []),
    ...(state === 'running'
      ? ['  next  tandem maintenance stop   stops it and leaves the current machine unchanged']
      : []),
  ].join('\n')
}

function nextSteps(maintenance: MaintenanceView): string[] {
  const at = machineAt(maintenance)
  return [
    `  next  ${resumes}`,
    ...(at === null
      ? []
      : [`        or give up the maintenance: tandem machine ready ${at}   puts ${at} back in traffic`]),
  ]
}

const resumes = 'fix the problem, then: tandem maintenance resume'

/** Describes the first action of a resumed maintenance. */
export function resumedLine(maintenance: MaintenanceView): string {
  const { machines } = maintenance
  const at = machines.find(({ machine }) => machine === machineAt(maintenance))
  const next = machines.find(({ state }) => state === 'waiting')
  if (!at) return next ? `resumed: machine ${next.machine} is next` : 'resumed: every machine is done'
  switch (at.state) {
    case 'drain':
    case 'work':
      return `resumed at machine ${at.machine}: drains the machine, then repeats the ${maintenanceTitle(maintenance)}`
    case 'check':
      return `resumed at machine ${at.machine}: the work is done and is not repeated; checks the instances`
    default:
      return `resumed at machine ${at.machine}: waits until the balancers send it traffic again`
  }
}

/** The line for `status`: progress of a running maintenance, or the next step of a stopped one. */
export function maintenanceLine(maintenance: MaintenanceView, paint: Paint): string {
  const { machines, state, reason } = maintenance
  const done = machines.filter((one) => one.state === 'done').length
  const at = machines.find((one) => one.machine === machineAt(maintenance))
  const where = at ? `, ${at.machine}: ${at.state}` : ''
  const what = `${maintenanceTitle(maintenance)}  ${done} of ${machines.length} done${where}`
  return state === 'stopped'
    ? `${paint('red', '!')} ${what}; stopped: ${reason ?? ''}; ${resumes}`
    : `${paint('cyan', '~')} ${what}`
}

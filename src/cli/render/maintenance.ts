import type { MaintenanceView } from '../../api/views.ts'
import { showSeconds } from '../duration.ts'
import type { Paint } from '../paint.ts'

/** How it is, a line for each machine, and what to do where it stopped. */
export function renderMaintenance(maintenance: MaintenanceView, paint: Paint): string {
  const { machines, state, reason, startedAt, finishedAt } = maintenance
  const took = finishedAt === null ? '' : ` (${showSeconds(Date.parse(finishedAt) - Date.parse(startedAt))})`
  const width = Math.max(...machines.map(({ machine }) => machine.length))
  return [
    `${paint(state === 'stopped' ? 'red' : 'bold', state)}  ${maintenanceTitle(maintenance)}${took}`,
    ...(reason ? [`  ${reason}`] : []),
    ...machines.map((one) => `  ${one.machine.padEnd(width)}  ${one.state}`),
    ...(state === 'stopped' ? ['  next  mend it, then: tandem maintenance resume'] : []),
    ...(state === 'running' ? ['  next  tandem maintenance stop   lets it go no further'] : []),
  ].join('\n')
}

/** `patch with patch.sh`, `reboot`. */
export const maintenanceTitle = ({ kind, script }: MaintenanceView): string =>
  script === null ? kind : `${kind} with ${script}`

/** For `status`: what is going on, or what waits for a person. */
export function maintenanceLine(maintenance: MaintenanceView, paint: Paint): string {
  const { machines, state, reason } = maintenance
  const done = machines.filter((one) => one.state === 'done').length
  const at = machines.find((one) => one.state !== 'done' && one.state !== 'waiting')
  const where = at ? `, ${at.machine}: ${at.state}` : ''
  const what = `${maintenanceTitle(maintenance)}  ${done} of ${machines.length} done${where}`
  return state === 'stopped'
    ? `${paint('red', '!')} ${what}; stopped: ${reason ?? ''}. Mend it, then: tandem maintenance resume`
    : `${paint('cyan', '~')} ${what}`
}

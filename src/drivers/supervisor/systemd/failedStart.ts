import { OperatorError } from '../../../lib/operatorError.ts'
import { problem } from '../process/executable.ts'
import type { InstanceSpec } from '../supervisor.ts'
import type { UnitState } from '../../../systemd/systemctl.ts'
import { lacksCredentials } from './life.ts'

/**
 * Steps of a start before the program, by the status that systemd returns if a step fails (systemd.exec(5), "Process
 * exit codes").
 */
const steps: Record<number, [what: string, next: string]> = {
  200: [
    'systemd cannot enter the working directory',
    'make the folders of the release readable by all (chmod -R a+rX), then push again',
  ],
  203: [
    'systemd cannot execute the program',
    'make the program readable and executable by all (chmod a+rx), then push again',
  ],
  205: ['systemd cannot set a limit', 'lower the values in `limits`'],
  216: ['systemd cannot use the group of the user', 'name another `user`'],
  217: ['systemd cannot use the user', 'name a user that exists on this machine'],
  218: ['systemd cannot grant a capability', 'check `jail: capabilities`'],
  226: ['systemd cannot set up the jail', 'check that the folders named in `jail` exist'],
  228: ['systemd cannot set the system-call filter', 'check `jail: systemCalls`'],
  238: [
    'systemd cannot create the data folder',
    'check whether /var/lib/tandem-data on this machine is full or read-only',
  ],
}

/** The unit was started, but the program ended so soon that systemd reports a failed start. */
export function endedAtOnce(spec: InstanceSpec, state: UnitState | undefined): boolean {
  if (state === undefined || state.lastPid === 0 || state.code === 0 || spec.notify) return false
  return state.code !== 1 || (steps[state.status] === undefined && !lacksCredentials(state))
}

/** The reason why systemd did not start the unit, for people. `said` is the message of systemctl. */
export function failedStart(spec: InstanceSpec, unit: string, state: UnitState | undefined, said: string): Error {
  const step = state?.code === 1 ? steps[state.status] : undefined
  const next = `for details, on this machine: journalctl -u ${unit}`
  if (step) return problem(step[0], spec.argv[0] ?? '', step[1])
  if (spec.notify && state?.result === 'timeout') {
    const what = `the program did not notify systemd that it is ready within ${spec.notify.withinMs / 1000} s`
    return new OperatorError('E_EXEC', what, {
      subject: spec.id,
      next: `make the program call sd_notify(READY=1); ${next}`,
    })
  }
  if (state && state.code !== 0 && !lacksCredentials(state)) {
    return problem(`the program ended before it was ready (${state.result})`, spec.id, next)
  }
  return new Error(`systemd did not start ${unit}: ${said || state?.result || 'no reason given'}; ${next}`)
}

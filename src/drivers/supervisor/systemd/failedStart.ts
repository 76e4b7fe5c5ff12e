import { OperatorError } from '../../../lib/operatorError.ts'
import { problem } from '../process/executable.ts'
import type { InstanceSpec } from '../supervisor.ts'
import type { UnitState } from './systemctl.ts'

/** Steps of a start before the program, by the status that systemd gives when one fails (systemd.exec(5), "Process exit codes"). */
const steps: Record<number, [what: string, next: string]> = {
  200: ['its working directory cannot be entered', 'its folders must be readable by all: chmod -R a+rX and push again'],
  203: ['its program cannot be executed', 'it must be executable and readable by all: chmod a+rx and push again'],
  205: ['a limit cannot be set', 'lower what `limits` asks for'],
  216: ['its group cannot be used', 'name another `user`'],
  217: ['its user cannot be used', 'name a user that this machine has'],
  218: ['a capability cannot be given', 'check `jail: capabilities`'],
  226: ['its jail cannot be built', 'check that the folders that `jail` names exist'],
  228: ['the system-call filter cannot be set', 'check `jail: systemCalls`'],
  238: ['its data folder cannot be made', 'look at /var/lib/tandem-data on this machine: full, or read-only?'],
}

/** It was started: the program itself ended, so soon that systemd took that for a start that failed. */
export function endedAtOnce(spec: InstanceSpec, state: UnitState | undefined): boolean {
  if (state === undefined || state.lastPid === 0 || state.code === 0 || spec.notify) return false
  return state.code !== 1 || steps[state.status] === undefined
}

/** Why systemd did not start it, as people are told. `said` is systemctl's own. */
export function failedStart(spec: InstanceSpec, unit: string, state: UnitState | undefined, said: string): Error {
  const step = state?.code === 1 ? steps[state.status] : undefined
  const next = `journalctl -u ${unit} on this machine says more`
  if (step) return problem(step[0], spec.argv[0] ?? '', step[1])
  if (spec.notify && state?.result === 'timeout') {
    const what = `it did not tell systemd that it is ready within ${spec.notify.withinMs / 1000} s`
    return new OperatorError('E_EXEC', what, { subject: spec.id, next: `it must call sd_notify(READY=1); ${next}` })
  }
  if (state && state.code !== 0) {
    return problem(`it ended before it had started (${state.result})`, spec.id, next)
  }
  return new Error(`systemd did not start ${unit}: ${said || state?.result || 'no reason given'}; ${next}`)
}

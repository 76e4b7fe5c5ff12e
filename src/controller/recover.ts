import type { Operations, Result } from '../api/contract.ts'
import { OperatorError } from '../lib/operatorError.ts'
import type { Controller, Turn } from './controller.ts'

/**
 * Continues with a log that was restored or lost: takes a term above every term that machines have seen, and adopts the
 * instances that they run. No service is changed. Every machine in the log must have reported, because an unreachable
 * machine would later be ordered to stop the instances that were not adopted.
 */
export function recover(controller: Controller): Promise<Result<Operations['recover']>> {
  return controller.turn((turn) => recoverNow(controller, turn))
}

async function recoverNow(controller: Controller, turn: Turn): Promise<Result<Operations['recover']>> {
  const { observed } = controller
  const silent = Object.keys(controller.state.machines).filter((machine) => !observed[machine])
  const reports = Object.values(observed).map(({ report }) => report)
  if (silent.length > 0 || reports.length === 0) {
    const who = silent.length > 0 ? `machine ${silent.join(', ')} has not reported` : 'no machine has reported'
    throw new OperatorError('E_NO_MACHINE_REACHABLE', `${who} to this controller`, {
      subject: controller.config.cluster,
      next: 'start the agents first: only the machine itself can report the instances to adopt',
    })
  }
  // New machines are recorded first: until then, the desired states of the others would name no machine to forward to.
  for (const report of reports) {
    if (!Object.hasOwn(controller.state.machines, report.machine)) await turn.execute({ type: 'RecordReport', report })
  }
  const { state } = controller
  const seen = reports.flatMap((report) => report.seen ?? [])
  const term = Math.max(state.terms.at(-1)?.term ?? 0, ...seen.map((one) => one.term)) + 1
  const from = Math.max(state.position, ...seen.map((one) => one.position)) + 1
  const held = reports.map((report) => report.held ?? controller.desired(report.machine))
  const id = controller.newId()
  await turn.execute({ type: 'RecoverLog', id, version: controller.version, term, held }, from)
  return { position: controller.state.position, term, adopted: reports.map(({ machine }) => machine) }
}

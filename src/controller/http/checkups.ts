import { judgeMember } from '../../doctor/judgeMember.ts'
import { mergeCheckups } from '../../doctor/mergeCheckups.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { Checkup } from '../../protocol/checkup.ts'
import type { Asks } from '../asks.ts'
import type { Controller } from '../controller.ts'
import { machineView } from '../statusView.ts'
import type { EventStream } from './eventStream.ts'

/** A machine's answer to a checkup request; `silent` is the reason when it sent no checkup. */
interface Said {
  clock: { offsetMs: number; roundTripMs: number } | null
  checkup: Checkup | null
  silent: string | null
}

/** A machine's checkup: the findings of its agent, and those that only its controller can make. */
export async function askCheckup(
  controller: Controller,
  asks: Asks,
  machine: string,
  signal: AbortSignal,
): Promise<Checkup> {
  const { clock, checkup, silent } = await ask(controller, asks, machine, signal)
  const known = controller.state.machines[machine]
  if (!known)
    throw new OperatorError('E_NO_SUCH_MACHINE', `machine ${machine} was removed while it was examined`, {
      subject: machine,
    })
  const { state, version, problems } = machineView(controller, known)
  const seen = controller.observed[machine]
  const reportAgeMs = seen ? controller.now() - seen.at : null
  const judged = judgeMember({
    ...{ machine, state, version, problems, reportAgeMs, clock, silent, controllerVersion: controller.version },
  })
  const checked = ['report', ...(clock ? ['clock'] : [])]
  return mergeCheckups({ machine, checked, findings: judged }, checkup)
}

async function ask(controller: Controller, asks: Asks, machine: string, signal: AbortSignal): Promise<Said> {
  const said: Said = { clock: null, checkup: null, silent: null }
  const askedAt = controller.now()
  try {
    for await (const answer of asks.ask(machine, { kind: 'checkup', id: controller.newId() }, signal)) {
      if (answer.kind === 'clock') {
        const roundTripMs = controller.now() - askedAt
        said.clock = { roundTripMs, offsetMs: Math.round(answer.at - askedAt - roundTripMs / 2) }
      } else if (answer.kind === 'checkup') said.checkup = answer.checkup
      else if (answer.kind === 'error') said.silent = answer.message
    }
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error
    said.silent = error.message
  }
  if (said.checkup === null) said.silent ??= `machine ${machine} ended its answer before it had sent its checkup`
  return said
}

/** Sends each checkup as soon as it is complete. */
export async function sendAsMade(made: Promise<Checkup>[], stream: EventStream): Promise<void> {
  try {
    await Promise.all(made.map(async (one) => stream.write({ data: JSON.stringify(await one) })))
  } finally {
    stream.end()
  }
}

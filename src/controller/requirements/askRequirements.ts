import type { Definition } from '../../definitions/definition.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { RequirementFacts } from '../../protocol/requirements.ts'
import { hasRequirements, machinesToAsk } from '../../rollout/requirements.ts'
import type { Answered } from '../../rollout/rolloutFeature.ts'
import type { Asks } from '../asks.ts'
import type { Controller } from '../controller.ts'

/** A machine that has not answered by then is passed over: people wait for this. */
const withinMs = 5_000

/** Asks every machine that is to run the release what it lacks of the requirements. A machine that does not answer is `null`. */
export async function askRequirements(controller: Controller, asks: Asks, definition: Definition): Promise<Answered> {
  if (!hasRequirements(definition)) return {}
  const stop = new AbortController()
  const stopTimer = controller.clock.after(withinMs, () => stop.abort())
  try {
    const machines = machinesToAsk(controller.state, definition)
    const answers = machines.map(
      async (one) => [one, await ask(controller, asks, one, definition, stop.signal)] as const,
    )
    return Object.fromEntries(await Promise.all(answers))
  } finally {
    stopTimer()
  }
}

async function ask(
  controller: Controller,
  asks: Asks,
  machine: string,
  { requires = {}, jail, env }: Definition,
  signal: AbortSignal,
): Promise<RequirementFacts | null> {
  const { commands = [], packages = [] } = requires
  const asked = { kind: 'requirements', commands, packages, jail: jail ?? null, path: env['PATH'] ?? null } as const
  try {
    for await (const answer of asks.ask(machine, { ...asked, id: controller.newId() }, signal))
      if (answer.kind === 'requirements') return answer.facts
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error
  }
  return null // an older agent does not know the question
}

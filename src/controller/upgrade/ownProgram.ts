import { hasReported } from '../../decision/observed.ts'
import { desiredProgram } from '../../upgrade/desiredProgram.ts'
import { controllerPart } from '../../upgrade/state.ts'
import type { ProgramKeeper } from '../../versions/programKeeper.ts'
import type { Controller } from '../controller.ts'

/** Keeps the controller's own program at the version that an upgrade wants. Follows every decision. */
export function followUpgrades(controller: Controller, keeper: ProgramKeeper): { follow: () => void } {
  const follow = (): void => {
    const { state, observed } = controller
    if (state.terms.length === 0) return
    keeper.want(desiredProgram(state, controllerPart))
    // The program works once every machine has reported to it.
    const isWell = Object.values(state.machines).every(({ name, lost }) => lost || hasReported(state, observed, name))
    if (isWell) keeper.confirm()
  }
  controller.onDecision(follow)
  return { follow }
}

import { unlessBehind } from '../decision/behind.ts'
import type { Operation } from '../decision/moment.ts'
import { roomOf } from '../decision/room.ts'
import type { UpgradeEvents } from '../events/upgradeEvents.ts'
import { advanceUpgrade, upgradeDeadline } from './advanceUpgrade.ts'
import { desiredProgram, keptPrograms } from './desiredProgram.ts'
import { upgradeFolds } from './foldUpgrade.ts'
import { startUpgrade, type StartUpgrade } from './startUpgrade.ts'
import { runningUpgrade, type UpgradeState, type UpgradeWorld } from './state.ts'
import { surroundings } from './surroundings.ts'
import { upgradeLinks } from './links.ts'
import { upgradeWords } from './words.ts'

/** Tandem itself is upgraded, part by part. */
export const upgrade = roomOf<UpgradeWorld, UpgradeState, UpgradeEvents, StartUpgrade, 'program'>()({
  name: 'upgrade',
  words: upgradeWords,
  links: upgradeLinks,
  initial: { upgrade: null },
  folds: upgradeFolds,
  advance: (world, moment) => (runningUpgrade(world) ? advanceUpgrade(world, surroundings(world, moment)) : []),
  deadline: upgradeDeadline,
  operation: upgradeInProgress,
  keeps: keptPrograms,
  desire: (world, machine) => ({ program: desiredProgram(world, machine) }),
  commands: {
    StartUpgrade: unlessBehind((world, start, moment) => startUpgrade(world, surroundings(world, moment), start)),
  },
})

/** While a part is upgraded that is a machine, turns hold at their next step. */
function upgradeInProgress(world: UpgradeWorld): Operation | null {
  const current = runningUpgrade(world)
  if (!current) return null
  return {
    ...{ room: 'upgrade', machine: world.machines[current.turn?.part ?? '']?.name ?? null, holdsNewTurns: false },
    message: `upgrade ${current.id} of Tandem itself is in progress; one machine operation at a time`,
    next: 'wait for it: tandem upgrade --show',
  }
}

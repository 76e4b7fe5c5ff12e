import type { Event } from '../events/event.ts'
import { limits } from './limits.ts'
import type { ObservedPart, Surroundings } from './observedPart.ts'
import { keyOf, runningUpgrade, type Part, type Upgrade, type UpgradeState, type UpgradeTurn } from './state.ts'

/** Returns the upgrade's next events from the known state; none while the upgrade waits for something. */
export function advanceUpgrade(state: UpgradeState, around: Surroundings): Event[] {
  const current = runningUpgrade(state)
  if (!current) return []
  if (current.turn) return endTurn(current, current.turn, around)
  switch (current.stage) {
    case 'fetching':
      return fetching(current, around)
    case 'turns':
      return nextTurn(current, around)
    case 'returning':
      return returning(current, around)
    case 'over':
      return []
  }
}

/** Time of the next decision by timeout; infinite if nothing waits. */
export function upgradeDeadline(state: UpgradeState): number {
  const current = runningUpgrade(state)
  if (!current) return Number.POSITIVE_INFINITY
  if (current.turn) return current.turn.at + limits.turnMs
  return current.stage === 'fetching' ? current.fetchingSince + limits.fetchMs : Number.POSITIVE_INFINITY
}

function fetching(upgrade: Upgrade, around: Surroundings): Event[] {
  const key = keyOf(upgrade, 'forward')
  for (const { part } of upgrade.parts) {
    const failed = seen(around, part)?.program?.failed
    if (failed?.key === key) return [reversed(upgrade, `${part}: ${failed.reason}`)]
  }
  const missing = upgrade.parts.find(({ part }) => {
    const now = seen(around, part)
    return now && !now.isLost && now.program?.prepared !== key
  })
  if (!missing) return nextTurn(upgrade, around)
  if (around.now === null || around.now < upgradeDeadline({ upgrade })) return []
  return [reversed(upgrade, `${missing.part} did not fetch the new version in time`)]
}

function nextTurn(upgrade: Upgrade, around: Surroundings): Event[] {
  const failed = upgrade.parts.find(({ state }) => state === 'failed')
  if (failed) return [reversed(upgrade, `${failed.part}: ${failed.reason ?? 'failed'}`)]
  const next = upgrade.parts.find(({ state }) => state === 'waiting')
  if (!next) return [finished(upgrade, 'completed')]
  const now = seen(around, next.part)
  if (!now || now.isLost) return [turnOver(upgrade, next.part, 'forward', 'lost', 'the machine is lost')]
  if (around.isBusy || !now.hasReported) return []
  return [turnStarted(upgrade, next, 'forward', now)]
}

/** Returns every part that runs the new version, last first; a part that has returned on its own needs nothing. */
function returning(upgrade: Upgrade, around: Surroundings): Event[] {
  const next = upgrade.parts.findLast(
    ({ part, state, hasReturned }) =>
      !hasReturned && (state === 'done' || (state === 'failed' && hasNew(upgrade, seen(around, part)))),
  )
  if (!next) return [finished(upgrade, 'reverted')]
  const now = seen(around, next.part)
  if (!now || now.isLost)
    return [turnOver(upgrade, next.part, 'back', 'lost', 'the machine is lost: it keeps the new version')]
  if (around.isBusy || !now.hasReported) return []
  return [turnStarted(upgrade, next, 'back', now)]
}

const hasNew = ({ release }: Upgrade, now: ObservedPart | undefined): boolean => now?.program?.release === release

/** A turn succeeds once the part reports the wanted program and everything that was ready before is ready again. */
function endTurn(upgrade: Upgrade, turn: UpgradeTurn, around: Surroundings): Event[] {
  const { part, direction, release } = turn
  const now = seen(around, part)
  const program = now?.program
  const over = (outcome: 'done' | 'failed', reason: string | null): Event[] => [
    turnOver(upgrade, part, direction, outcome, reason),
  ]
  if (program?.failed?.key === keyOf(upgrade, direction)) return over('failed', program.failed.reason)
  const isThere = now?.hasReported && now.boot > turn.boot && program?.release === release && !program.isTrying
  const unready = isThere ? now.instances.find(({ id, isReady }) => !isReady && turn.ready.includes(id)) : undefined
  if (isThere && now.applied >= turn.position && !unready) return over('done', null)
  if (around.now === null || around.now < turn.at + limits.turnMs) return []
  const seconds = limits.turnMs / 1000
  if (unready) return over('failed', `instance ${unready.id} was not ready again within ${seconds} s`)
  return over(
    'failed',
    `the part did not report with the ${direction === 'forward' ? 'new' : 'former'} version within ${seconds} s`,
  )
}

const seen = ({ parts }: Surroundings, name: string): ObservedPart | undefined =>
  parts.find(({ part }) => part === name)

const turnStarted = (
  upgrade: Upgrade,
  { part, release }: Part,
  direction: 'forward' | 'back',
  now: ObservedPart,
): Event => ({
  type: 'UpgradeTurnStarted',
  data: {
    ...{ upgrade: upgrade.id, part, direction, boot: now.boot },
    release: direction === 'forward' ? upgrade.release : release,
    ready: now.instances.filter(({ isReady }) => isReady).map(({ id }) => id),
  },
})

const turnOver = (
  { id }: Upgrade,
  part: string,
  direction: 'forward' | 'back',
  outcome: 'done' | 'failed' | 'lost',
  reason: string | null,
): Event => ({ type: 'UpgradeTurnFinished', data: { upgrade: id, part, direction, outcome, reason } })

const reversed = ({ id }: Upgrade, reason: string): Event => ({
  type: 'UpgradeReversed',
  data: { upgrade: id, reason },
})

const finished = ({ id, reason }: Upgrade, state: 'completed' | 'reverted'): Event => ({
  type: 'UpgradeFinished',
  data: { upgrade: id, state, reason },
})

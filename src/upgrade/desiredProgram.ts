import type { DesiredProgram } from '../protocol/programState.ts'
import { keyOf, type UpgradeState } from './state.ts'

/** What is asked of a part now; `null`: to go on with what it runs. */
export function desiredProgram({ current }: UpgradeState, part: string): DesiredProgram | null {
  const mine = current?.parts.find((one) => one.part === part)
  if (!current || !mine) return null
  // One that was away when all went back may come with the new version: it had begun to try it.
  const isLate = current.outcome === 'reverted' && (mine.state === 'failed' || mine.state === 'lost')
  if (current.stage === 'over')
    return isLate ? { key: keyOf(current, 'back'), release: mine.release, version: mine.version, isDue: true } : null
  const { turn, version, release } = current
  if (turn?.part === part) {
    const back = turn.direction === 'back'
    return {
      key: keyOf(current, turn.direction),
      release: turn.release,
      version: back ? mine.version : version,
      isDue: true,
    }
  }
  if (current.stage === 'returning' || mine.state !== 'waiting') return null
  return { key: keyOf(current, 'forward'), release, version, isDue: false }
}

/** Programs that an upgrade still needs: the store must not let them go. */
export function keptPrograms({ current }: UpgradeState): string[] {
  if (!current) return []
  return [current.release, ...current.parts.flatMap(({ release }) => (release === null ? [] : [release]))]
}

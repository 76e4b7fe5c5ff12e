import type { DesiredProgram } from '../protocol/program.ts'
import { keyOf, type UpgradeState } from './state.ts'

/** The program that a part should run now; `null` if it should keep its program. */
export function desiredProgram({ upgrade: current }: UpgradeState, part: string): DesiredProgram | null {
  const mine = current?.parts.find((one) => one.part === part)
  if (!current || !mine) return null
  // A part that was unreachable during the return may come back with the new version: it had begun to try it.
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

/** Programs that an upgrade still needs: the store must not collect them. */
export function keptPrograms({ upgrade: current }: UpgradeState): string[] {
  if (!current) return []
  return [current.release, ...current.parts.flatMap(({ release }) => (release === null ? [] : [release]))]
}

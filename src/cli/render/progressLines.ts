import type { RolloutView } from '../../api/views.ts'
import { showSeconds } from '../duration.ts'
import type { Paint } from '../paint.ts'

type MachineView = RolloutView['machines'][number]
type PhaseView = MachineView['phases'][number]

/** Changes since `before`: a line for each phase that ended and for each machine whose state changed. */
export function progressLines(before: RolloutView | null, now: RolloutView): string[] {
  const width = Math.max(...now.machines.map(({ machine }) => machine.length))
  const lines = now.machines.flatMap((machine) => {
    const old = before?.machines.find((one) => one.machine === machine.machine)
    return machineChanges(old, machine).map((change) => `  ${machine.machine.padEnd(width)}  ${change}`)
  })
  if (before?.state !== now.state && now.state === 'reverting') {
    lines.push(`  reverting: ${now.reason ?? 'the rollout was aborted'}`)
  }
  return lines
}

function machineChanges(old: MachineView | undefined, now: MachineView): string[] {
  const ended = now.phases.flatMap((phase, index) => {
    const was = old?.phases[index]
    if (phase.finishedAt === null || (was && was.finishedAt !== null)) return []
    return [`${phase.phase.padEnd(7)}  ${took(phase)}`]
  })
  const changed = now.state !== (old?.state ?? 'waiting') && now.state !== 'running' ? [now.state] : []
  return [...ended, ...changed]
}

/** A line of output of `prepare` on that machine. */
export const outputLine = (machine: string, text: string, paint: Paint): string =>
  `  ${machine}  ${paint('dim', '│')} ${text}`

/** All phases of a machine on one line: `a  fetch 0.10 s · start 0.05 s · probe 0.31 s …`. */
export function machineLine(rollout: RolloutView, name: string, width: number, now: number, paint: Paint): string {
  const machine = rollout.machines.find((one) => one.machine === name)
  if (!machine) return name
  const phases = machine.phases.map((phase) => {
    if (phase.finishedAt !== null) return `${phase.phase} ${paint('dim', took(phase))}`
    return `${paint('cyan', phase.phase)} ${showSeconds(now - Date.parse(phase.startedAt))}`
  })
  return [name.padEnd(width), stateShown(machine.state, paint), phases.join(paint('dim', ' · '))]
    .filter(Boolean)
    .join('  ')
}

function stateShown(state: MachineView['state'], paint: Paint): string {
  switch (state) {
    case 'running':
      return ''
    case 'done':
      return paint('green', state)
    case 'waiting':
    case 'untouched':
      return paint('dim', state)
    case 'reverted':
    case 'behind':
    case 'lost':
      return paint('yellow', state)
    case 'failed':
      return paint('red', state)
  }
}

export const took = ({ startedAt, finishedAt }: PhaseView): string =>
  finishedAt === null ? '…' : showSeconds(Date.parse(finishedAt) - Date.parse(startedAt))

import type { JSX } from 'preact'
import type { Overview } from '../../src/api/overview.ts'
import { Command } from './command.tsx'

type Problem = Overview['wrong'][number]

/** The steps that a problem names. A link leads to its last lines, so their command is left out where there is one. */
interface Props {
  problem: Problem
  /** Only the commands. */
  isShort?: boolean
}

export function NextSteps({ problem: { next, instance }, isShort = false }: Props): JSX.Element {
  const steps = next.filter(({ command }) => instance === null || !command?.startsWith('tandem logs '))
  return (
    <>
      {steps
        .filter(({ command, does }) => command !== null || (does !== '' && !isShort))
        .map(({ command, does }) => (
          <p key={`${command} ${does}`} class="second">
            {command === null ? does : <Command>{command}</Command>} {command === null ? '' : does}
          </p>
        ))}
    </>
  )
}

import { selfCommand } from './cli/laptop/selfCommand.ts'

/** Small: it is there beside everything else, and looks ten times a second. */
export function guardCommand(data: string): string[] {
  const { command, args } = selfCommand()
  const script = args.at(-1) ?? ''
  return [command, '--max-semi-space-size=1', '--max-old-space-size=32', script, 'agent', 'guard', '--data', data]
}

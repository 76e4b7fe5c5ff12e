import { selfCommand } from '../../../lib/selfCommand.ts'

/** Command of the guard. Its memory is kept small, because the guard runs on every machine all the time. */
export function guardCommand(data: string): string[] {
  const { command, args } = selfCommand()
  const script = args.at(-1) ?? ''
  return [command, '--max-semi-space-size=1', '--max-old-space-size=32', script, 'agent', 'guard', '--data', data]
}

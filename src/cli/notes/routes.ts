import { command } from '../command.ts'
import { known, on, word } from '../routes/parameters.ts'

/** A command of `tandem machine`. */
export const note = command({
  dryRun: true,
  brief: 'Leave a note on a machine, for the next person; status and machines show it',
  about: 'A machine has one note. Without TEXT, shows it.',
  example: 'tandem machine note a "disk is replaced on Monday, ask Ida"\ntandem machine note a --clear',
  parameters: {
    flags: { clear: on('Remove the note') },
    positional: {
      kind: 'tuple',
      parameters: [
        known('machines', word('MACHINE', 'Name of a machine')),
        { ...word('TEXT', 'One line, at most 500 characters'), optional: true },
      ],
    },
  },
  load: async () => (await import('./commands.ts')).noteMachine,
})

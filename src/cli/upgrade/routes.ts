import { command } from '../command.ts'
import { on, word } from '../routes/parameters.ts'

export const upgrade = command({
  changes: true,
  brief: 'Upgrade Tandem itself: each machine, then the controller, one at a time; roll back if one fails',
  about:
    'Services continue to run: no process of a service ends, and no request is lost. PATH is an archive or the folder of an unpacked one. ' +
    'Without PATH, upgrades to the program that runs this command.',
  example: 'tandem upgrade tandem-0.2.0-linux-x64.tar.gz\ntandem upgrade --show',
  parameters: {
    flags: { show: on('Only show the running upgrade, or the last one') },
    positional: {
      kind: 'tuple',
      parameters: [{ ...word('PATH', 'Archive of the new version, or its unpacked folder'), optional: true }],
    },
  },
  load: async () => (await import('./commands.ts')).upgrade,
})

import { agentData } from '../../layout/folders.ts'
import { command } from '../command.ts'
import { needed } from '../routes/parameters.ts'

export const guard = command({
  brief: "Guard this machine's virtual addresses, in the foreground",
  about:
    'If cluster.yaml names addresses, the agent installs this command as tandem-guard.service.\n' +
    'The guard removes the addresses from a machine that does not serve.',
  example: 'tandem agent guard --data /var/lib/tandem',
  parameters: { flags: { data: { ...needed('DIR', 'Data folder of the agent'), default: agentData } } },
  load: async () => (await import('./commands.ts')).runGuard,
})

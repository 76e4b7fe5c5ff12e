import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { Action } from '../lib/action.tsx'
import { useCluster } from '../lib/cluster.ts'
import { Command } from '../lib/command.tsx'
import { refusalWords } from '../lib/rehearsal.ts'
import { utcMinute } from '../lib/time.ts'
import { joinCommand } from './machineWords.ts'

/** Makes the command with which a machine of the cluster file joins; the page shows it once it has. */
export function Invite({ machine }: { machine: string }): JSX.Element {
  const { api } = useCluster()
  const made = useSignal<{ command: string; expiresAt: string } | null>(null)
  const refused = useSignal<string | null>(null)
  const run = (): void => {
    api.call('inviteMachine', { params: { machine } }).then(
      (invited) => (made.value = { command: joinCommand(invited), expiresAt: invited.expiresAt }),
      (error: unknown) => (refused.value = refusalWords(error).why),
    )
  }
  return (
    <>
      <Action label="Join command" command={`tandem machine add ${machine}`} refusal={refused.value} run={run}>
        {`Makes the command with which ${machine} joins: it works once, within one hour.`}
      </Action>
      {made.value === null ? null : (
        <div class="invited" role="status">
          <p>
            Run this as root on {machine}, until {utcMinute(made.value.expiresAt)}. Until then this page waits for its
            first report.
          </p>
          <Command>{made.value.command}</Command>
        </div>
      )}
    </>
  )
}

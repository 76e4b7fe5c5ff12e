import type { JSX } from 'preact'
import { useCluster } from '../lib/cluster.ts'
import { Command } from '../lib/command.tsx'
import { utcMinute } from '../lib/time.ts'

const may = { operator: 'may change the cluster', reader: 'sees everything and changes nothing' }

export function Account({ openCommand, signOut }: { openCommand: string; signOut: () => void }): JSX.Element {
  const { me } = useCluster()
  const { value } = me
  return (
    <>
      <p>
        {value === null ? (
          'The controller has not said yet who you are.'
        ) : (
          <>
            The token <strong>{value.name}</strong> {may[value.role]}.
            {value.expiresAt === null
              ? null
              : ` This session ends at ${utcMinute(value.expiresAt)}, or with its token.`}
          </>
        )}
      </p>
      <h3>This page for somebody else</h3>
      <p>
        <Command>{openCommand}</Command>
      </p>
      <p>
        <button type="button" onClick={signOut}>
          Sign out
        </button>
      </p>
    </>
  )
}

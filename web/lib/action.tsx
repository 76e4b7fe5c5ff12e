import type { JSX } from 'preact'
import { useId } from 'preact/hooks'
import { useCluster } from './cluster.ts'
import { Command } from './command.tsx'

interface ActionProps {
  label: string
  /** Says what it will do, or what it has done. */
  children: JSX.Element | string
  /** The command that does the same. */
  command: string
  /** Why it cannot be done now: begins with "Not now:", "Not possible:" or "Nothing to do:". */
  refusal?: string | null
  danger?: boolean
  run: () => void
}

/** A button beside what it will do and the equal command. One that refuses stays in the order of focus and says why. */
export function Action({ label, children, command, refusal = null, danger = false, run }: ActionProps): JSX.Element {
  const { refusal: general } = useCluster()
  const why = general.value ?? refusal
  const id = useId()
  return (
    <div class="action">
      <button
        type="button"
        class={danger && why === null ? 'danger' : undefined}
        aria-disabled={why === null ? undefined : 'true'}
        aria-describedby={id}
        onClick={() => {
          if (why === null) run()
        }}
      >
        {label}
      </button>
      <div>
        <p id={id}>{why === null ? children : <strong>{why}</strong>}</p>
        <Command>{command}</Command>
      </div>
    </div>
  )
}

import type { JSX } from 'preact'
import { visible } from './visible.ts'

/** Where to read what to do when a service fails: a link only if it is one of the web. */
export function Runbook({ runbook }: { runbook: string | null }): JSX.Element | null {
  if (runbook === null) return null
  if (!/^https?:\/\//.test(runbook)) return <span class="second">runbook: {visible(runbook)}</span>
  return (
    <a href={runbook} rel="noreferrer">
      runbook
    </a>
  )
}

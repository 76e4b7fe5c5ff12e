import type { JSX } from 'preact'

export function OverviewPage(): JSX.Element {
  return (
    <main>
      <h1>Overview</h1>
    </main>
  )
}

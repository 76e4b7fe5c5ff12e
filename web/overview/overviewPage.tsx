import type { JSX } from 'preact'
import { useCluster } from '../lib/cluster.ts'
import { PageFrame } from '../lib/page.tsx'
import { headline } from './headline.ts'

export function OverviewPage(): JSX.Element {
  const { overview, contact } = useCluster()
  const { value } = overview
  if (value === null) return <PageFrame title="Reading the state of the cluster" />
  const { state, asOf } = contact.value
  return <PageFrame title={headline(value, state === 'lost' ? asOf : null)} />
}

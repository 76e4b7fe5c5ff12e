import type { JSX } from 'preact'
import { useCluster } from '../lib/cluster.ts'
import { Shape } from '../lib/glyph.tsx'

/** The number of rollouts that run, behind the link in the bar. */
export function RunningCount(): JSX.Element | null {
  const { overview } = useCluster()
  const running = overview.value?.services.filter(({ rollout }) => rollout?.finishedAt === null).length ?? 0
  if (running === 0) return null
  return (
    <span class="tone-act">
      <Shape shape="play" /> {running}
      <span class="vh"> running</span>
    </span>
  )
}

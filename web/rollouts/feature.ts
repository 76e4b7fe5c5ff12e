import type { WebFeature } from '../lib/feature.ts'
import { rolloutItems } from './rolloutItems.ts'
import { RunningCount } from './runningCount.tsx'

export const rollouts: WebFeature = {
  pages: [
    { path: '/rollouts', load: async () => (await import('./rolloutsPage.tsx')).RolloutsPage, hasPast: true },
    { path: '/rollouts/:id', load: async () => (await import('./rolloutPage.tsx')).RolloutPage, hasPast: true },
  ],
  palette: rolloutItems,
  bar: [{ name: 'Rollouts', path: '/rollouts', key: 'r', count: RunningCount }],
}

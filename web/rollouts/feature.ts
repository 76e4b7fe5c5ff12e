import type { WebFeature } from '../lib/feature.ts'
import { RunningCount } from './runningCount.tsx'

export const rollouts: WebFeature = {
  pages: [
    { path: '/rollouts', load: async () => (await import('./rolloutsPage.tsx')).RolloutsPage },
    { path: '/rollouts/:id', load: async () => (await import('./rolloutPage.tsx')).RolloutPage },
  ],
  bar: [{ name: 'Rollouts', path: '/rollouts', key: 'r', count: RunningCount }],
}

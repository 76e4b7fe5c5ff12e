import type { WebFeature } from '../lib/feature.ts'

export const timeline: WebFeature = {
  pages: [{ path: '/timeline', load: async () => (await import('./timelinePage.tsx')).TimelinePage }],
  bar: [{ name: 'Timeline', path: '/timeline', key: 't' }],
}

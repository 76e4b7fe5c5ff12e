import { eventItems } from './eventItems.ts'
import type { WebFeature } from '../lib/feature.ts'

export const timeline: WebFeature = {
  pages: [{ path: '/timeline', load: async () => (await import('./timelinePage.tsx')).TimelinePage }],
  palette: eventItems,
  bar: [{ name: 'Timeline', path: '/timeline', key: 't', command: 'tandem events --changes' }],
}

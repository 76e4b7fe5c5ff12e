import type { WebFeature } from '../lib/feature.ts'

export const map: WebFeature = {
  pages: [{ path: '/map', load: async () => (await import('./mapPage.tsx')).MapPage }],
  bar: [{ name: 'Map', path: '/map', key: 'a', command: 'tandem map' }],
}

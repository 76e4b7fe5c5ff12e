import type { WebFeature } from '../lib/feature.ts'

export const overview: WebFeature = {
  pages: [{ path: '/', load: async () => (await import('./overviewPage.tsx')).OverviewPage }],
  bar: [{ name: 'Overview', path: '/', key: 'o' }],
}

import type { WebFeature } from '../lib/feature.ts'

export const services: WebFeature = {
  pages: [
    { path: '/services/:service', load: async () => (await import('./servicePage.tsx')).ServicePage, hasPast: true },
  ],
}

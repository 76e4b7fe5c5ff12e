import type { WebFeature } from '../lib/feature.ts'

export const machines: WebFeature = {
  pages: [
    { path: '/machines', load: async () => (await import('./machinesPage.tsx')).MachinesPage },
    { path: '/machines/:machine', load: async () => (await import('./machinePage.tsx')).MachinePage },
  ],
  bar: [{ name: 'Machines', path: '/machines', key: 'm', command: 'tandem machines' }],
}

import type { WebFeature } from '../lib/feature.ts'

export const logs: WebFeature = {
  pages: [
    { path: '/logs', load: async () => (await import('./servicesPage.tsx')).ServicesPage },
    { path: '/logs/:service', load: async () => (await import('./logsPage.tsx')).LogsPage },
  ],
  bar: [{ name: 'Logs', path: '/logs', key: 'l' }],
  palette: ({ overview }) =>
    overview.value?.services.map(({ service }) => ({
      ...{ group: 'Go to', name: `Logs of ${service}`, state: 'noted' },
      ...{ command: `tandem logs ${service} --follow`, path: `/logs/${service}` },
    })) ?? [],
}

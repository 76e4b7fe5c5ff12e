import type { WebFeature } from '../lib/feature.ts'
import { clusterItems } from './clusterItems.ts'
import { OverviewPage } from './overviewPage.tsx'

export const overview: WebFeature = {
  // Part of the first load: it is the page that people open.
  pages: [{ path: '/', component: OverviewPage, hasPast: true }],
  palette: clusterItems,
  bar: [{ name: 'Overview', path: '/', key: 'o', command: 'tandem status' }],
}

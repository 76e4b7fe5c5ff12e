import type { ComponentType } from 'preact'
import type { Cluster } from './cluster.ts'
import type { PaletteItem } from './palette.ts'

export interface PageProps {
  /** The values of the names in the page's path. */
  params: Record<string, string>
}

/** `load`: its code is loaded when somebody goes there, so that the first load stays small. */
export type Page = PageAddress &
  ({ component: ComponentType<PageProps> } | { load: () => Promise<ComponentType<PageProps>> })

interface PageAddress {
  /** Such as `/rollouts/:id`. */
  path: string
  /** With `?at=POSITION` in its address, the page shows the past: `useCluster()` gives it everything as it was then. */
  hasPast?: true
}

/** A link in the bar. */
export interface BarLink {
  name: string
  path: string
  /** After `g`, this key goes there. */
  key: string
  /** The command that shows the same. */
  command?: string
  /** Shown behind the name, such as the number of rollouts that run. */
  count?: ComponentType
}

/** The places where a feature hangs itself into the page. It leaves out those that it does not need. */
export interface WebFeature {
  /** Finds of the palette beside the pages: services, machines, actions. */
  palette?: (cluster: Cluster) => PaletteItem[]
  pages?: Page[]
  bar?: BarLink[]
}

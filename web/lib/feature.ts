import type { ComponentType } from 'preact'

export interface PageProps {
  /** The values of the names in the page's path. */
  params: Record<string, string>
}

export interface Page {
  /** Such as `/rollouts/:id`. */
  path: string
  /** Loaded when somebody goes there, so that the overview stays small. */
  load: () => Promise<ComponentType<PageProps>>
}

/** A link in the bar. */
export interface BarLink {
  name: string
  path: string
  /** After `g`, this key goes there. */
  key: string
  /** Shown behind the name, such as the number of rollouts that run. */
  count?: ComponentType
}

/** The places where a feature hangs itself into the page. It leaves out those that it does not need. */
export interface WebFeature {
  pages?: Page[]
  bar?: BarLink[]
}

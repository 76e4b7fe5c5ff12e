import type { ComponentChildren, JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { useCluster } from './cluster.ts'

interface PageFrameProps {
  /** The heading, which answers the question of the page. It is the title of the window too. */
  title: string
  heading?: JSX.Element
  children?: ComponentChildren
}

/** The main part of a page below its heading. */
export function PageFrame({ title, heading, children }: PageFrameProps): JSX.Element {
  const { overview } = useCluster()
  const cluster = overview.value?.cluster ?? 'tandem'
  useEffect(() => {
    document.title = `${title} · ${cluster}`
  }, [title, cluster])
  return (
    <main id="main" tabIndex={-1}>
      <h1>{heading ?? title}</h1>
      {children}
    </main>
  )
}

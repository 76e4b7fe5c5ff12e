import { useSignal, useSignalEffect } from '@preact/signals'
import type { ComponentType, JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import type { Page, PageProps } from '../lib/feature.ts'
import { address, matchPath } from '../lib/router.ts'
import { findPage } from './findPage.ts'

type Loaded = { page: Page; component: ComponentType<PageProps> } | { page: Page; failed: true }

/** Shows the page of the present address; if it is not here yet, its code is loaded first. */
export function PageHost(): JSX.Element {
  const loaded = useSignal<Loaded | null>(null)
  const found = findPage(address.value.path)
  useSignalEffect(() => {
    const page = findPage(address.value.path)?.page
    if (!page || 'component' in page || loaded.peek()?.page === page) return
    page.load().then(
      (component) => {
        loaded.value = { page, component }
      },
      () => {
        loaded.value = { page, failed: true }
      },
    )
  })
  const ready =
    found && 'component' in found.page ? { page: found.page, component: found.page.component } : loaded.value
  // An address without a page is shown at once.
  const path = found === null ? '' : ready?.page === found.page ? found.page.path : null
  const shown = useRef<string | null>(null)
  useEffect(() => {
    if (path === null) return
    const isFirst = shown.current === null
    shown.current = path
    // Screen readers and the keyboard go on at the new page. A dialog that closes gives the focus back first.
    if (!isFirst) setTimeout(() => document.getElementById('main')?.focus({ preventScroll: true }))
  }, [path])
  if (!found) return <NoSuchPage path={address.value.path} />
  // The page before stays until the code of the next one is here.
  if (ready === null) return <main id="main" aria-busy="true" />
  if ('failed' in ready) return <Outdated />
  const { component: Component } = ready
  const params = matchPath(ready.page.path, address.value.path)
  return params ? <Component params={params} /> : <main id="main" aria-busy="true" />
}

function NoSuchPage({ path }: { path: string }): JSX.Element {
  return (
    <main class="alone" id="main" tabIndex={-1}>
      <h1>There is no page {path}</h1>
      <p>
        <a href="/">The overview</a> shows everything that there is.
      </p>
    </main>
  )
}

function Outdated(): JSX.Element {
  return (
    <main class="alone" id="main" tabIndex={-1}>
      <h1>This page could not be loaded</h1>
      <p>The controller does not answer, or it has another version than this page.</p>
      <button type="button" onClick={() => location.reload()}>
        Load again
      </button>
    </main>
  )
}

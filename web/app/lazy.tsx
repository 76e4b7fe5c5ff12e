import { signal } from '@preact/signals'
import type { ComponentType, JSX } from 'preact'
import { useEffect } from 'preact/hooks'

/** A component whose code is loaded when it is shown first. */
export function lazy<P extends object>(load: () => Promise<ComponentType<P>>): ComponentType<P> {
  const loaded = signal<{ component: ComponentType<P> } | 'failed' | null>(null)
  return function Lazy(props: P): JSX.Element | null {
    useEffect(() => {
      if (loaded.peek() !== null) return
      load().then(
        (component) => (loaded.value = { component }),
        () => (loaded.value = 'failed'),
      )
    }, [])
    if (loaded.value === null) return null
    if (loaded.value === 'failed') return <p>This part could not be loaded. Load the page again.</p>
    const { component: Component } = loaded.value
    return <Component {...props} />
  }
}

import { signal } from '@preact/signals'
import { useEffect } from 'preact/hooks'

/** The colours of a canvas, as CSS gives them in the present scheme. */
const names = ['act', 'bar-old', 'ink', 'ink-2', 'ink-3', 'bad', 'warn', 'ok', 'line', 'edge', 'page'] as const
export type Ink = Record<(typeof names)[number], string>

/** Steps when the scheme may have changed: a canvas must be drawn again then. */
const scheme = signal(0)

/** Reads the tokens again whenever the scheme changes. */
export function useScheme(): number {
  useEffect(() => {
    const changed = (): void => {
      scheme.value++
    }
    const queries = ['(prefers-color-scheme: dark)', '(forced-colors: active)', 'print'].map((one) => matchMedia(one))
    for (const query of queries) query.addEventListener('change', changed)
    const observer = new MutationObserver(changed)
    observer.observe(document.documentElement, { attributes: true, attributeFilter: ['data-scheme', 'data-past'] })
    return () => {
      for (const query of queries) query.removeEventListener('change', changed)
      observer.disconnect()
    }
  }, [])
  return scheme.value
}

/** A custom property holds `light-dark(…)`; only a colour of an element says which one it is. */
export function inkOf(element: HTMLElement): Ink {
  const probe = document.createElement('i')
  element.append(probe)
  const found = names.map((name) => {
    probe.style.color = `var(--${name})`
    return [name, getComputedStyle(probe).color]
  })
  probe.remove()
  return Object.fromEntries(found) as Ink // exactly these names
}

import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'

/** A command that can be pasted into a shell, with a button that copies it. */
export function Command({ children }: { children: string }): JSX.Element {
  const state = useSignal<'copy' | 'copied' | 'select it to copy'>('copy')
  const copy = (): void => {
    navigator.clipboard.writeText(children).then(
      () => (state.value = 'copied'),
      () => (state.value = 'select it to copy'),
    )
  }
  return (
    <span class="command">
      <code>
        <span class="prompt" aria-hidden="true">
          ${' '}
        </span>
        {children}
      </code>{' '}
      <button type="button" class="plain" onClick={copy} aria-label={`${state.value}: ${children}`}>
        {state}
      </button>
    </span>
  )
}

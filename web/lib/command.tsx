import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'

type Copied = 'no' | 'yes' | 'refused'

/** Copies a command; `name` is the text of the button. */
function useCopy(command: string, name: string): { text: string; copy: () => void; state: Copied } {
  const state = useSignal<Copied>('no')
  const copy = (): void => {
    navigator.clipboard.writeText(command).then(
      () => (state.value = 'yes'),
      () => (state.value = 'refused'),
    )
  }
  return { text: { no: name, yes: 'copied', refused: 'select it to copy' }[state.value], copy, state: state.value }
}

/** A command that can be pasted into a shell, with a button that copies it. */
export function Command({ children }: { children: string }): JSX.Element {
  const { text, copy } = useCopy(children, 'copy')
  return (
    <span class="command">
      <code>
        <span class="prompt" aria-hidden="true">
          ${' '}
        </span>
        {children}
      </code>{' '}
      <button type="button" class="plain" onClick={copy} aria-label={`${text}: ${children}`}>
        {text}
      </button>
    </span>
  )
}

/** Only the button; the command is shown where the browser does not let it be copied. */
export function CopyButton({ children, name }: { children: string; name: string }): JSX.Element {
  const { text, copy, state } = useCopy(children, name)
  if (state === 'refused') return <code>{children}</code>
  return (
    <button type="button" class="plain" onClick={copy}>
      {text}
    </button>
  )
}

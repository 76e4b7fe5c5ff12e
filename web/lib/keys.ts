import { signal } from '@preact/signals'

export interface Key {
  /** As `event.key` names it, but `Space`; two in a row with a space between, such as `g o`; with Ctrl or ⌘, such as `Ctrl+k`. */
  keys: string
  does: string
  group: 'Anywhere' | 'Go to' | 'Lists and charts'
  run: () => void
}

/** Keys of the page that is shown now. */
const known = signal<Key[]>([])
export const shownKeys = known

/** Adds keys until the returned function is called. */
export function addKeys(keys: Key[]): () => void {
  known.value = [...known.peek(), ...keys]
  return () => {
    known.value = known.peek().filter((key) => !keys.includes(key))
  }
}

/** Time in which the second key of two must follow. */
const secondMs = 1_500

const isTyping = (target: EventTarget | null): boolean =>
  target instanceof HTMLElement && (target.isContentEditable || /^(INPUT|TEXTAREA|SELECT)$/.test(target.tagName))

const isPressed = (target: EventTarget | null): boolean =>
  target instanceof Element && target.closest('a, button, summary, [role=button]') !== null

/** Runs the action of a key that is pressed, unless the user types text or a dialog is open. */
export function listenForKeys(): () => void {
  let first = { key: '', at: 0 }
  const pressed = (event: KeyboardEvent): void => {
    const { ctrlKey, metaKey, altKey, timeStamp } = event
    const isWithCtrl = ctrlKey || metaKey
    if (altKey || event.defaultPrevented || (isTyping(event.target) && !isWithCtrl)) return
    if (document.querySelector('dialog[open]')) return
    const named = event.key === ' ' ? 'Space' : event.key
    // These two press what is focused.
    if ((named === 'Space' || named === 'Enter') && isPressed(event.target)) return
    const key = isWithCtrl ? `Ctrl+${named.toLowerCase()}` : named
    const both = timeStamp - first.at < secondMs ? `${first.key} ${key}` : key
    first = { key, at: timeStamp }
    const found = known.peek().findLast(({ keys }) => keys === both || keys === key)
    if (!found) return
    event.preventDefault()
    found.run()
  }
  document.addEventListener('keydown', pressed)
  return () => document.removeEventListener('keydown', pressed)
}

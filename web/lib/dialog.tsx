import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useId, useRef } from 'preact/hooks'

interface DialogProps {
  label: string
  isOpen: boolean
  close: () => void
  children: ComponentChildren
}

/** A modal dialog of the browser: it keeps the focus, Esc closes it, and the focus returns. */
export function Dialog({ label, isOpen, close, children }: DialogProps): JSX.Element {
  const element = useRef<HTMLDialogElement>(null)
  const id = useId()
  useEffect(() => {
    const { current } = element
    if (isOpen && current?.open === false) current.showModal()
    if (!isOpen) current?.close()
  }, [isOpen])
  return (
    <dialog ref={element} aria-labelledby={id} onClose={close}>
      <header>
        <h2 id={id}>{label}</h2>
        <button type="button" class="plain" onClick={close}>
          Close
        </button>
      </header>
      {isOpen ? children : null}
    </dialog>
  )
}

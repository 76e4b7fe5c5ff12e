import type { ComponentChildren, JSX } from 'preact'
import { useEffect, useState } from 'preact/hooks'

/** Shows its children once everything around them has been painted: on a slow device, the answer comes first. */
export function AfterPaint({ children }: { children: ComponentChildren }): JSX.Element {
  const [isPainted, setPainted] = useState(false)
  useEffect(() => setPainted(true), [])
  return <>{isPainted && children}</>
}

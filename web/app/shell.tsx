import type { JSX } from 'preact'
import { Bar } from './bar.tsx'
import { PageHost } from './pageHost.tsx'

export function Shell(): JSX.Element {
  return (
    <>
      <Bar />
      <PageHost />
    </>
  )
}

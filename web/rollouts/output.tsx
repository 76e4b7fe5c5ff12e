import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import type { LastWordsView } from '../../src/api/lastWords.ts'
import { Refused } from '../lib/api.ts'
import { useCluster } from '../lib/cluster.ts'
import { Command } from '../lib/command.tsx'
import { visible } from '../lib/visible.ts'

type Line = LastWordsView['lines'][number]

/** Lines of output that stand beside a rollout. */
const shownLines = 14

/** Output as it was written, newest last. */
export function Output({ lines, label }: { lines: readonly Line[]; label: string }): JSX.Element {
  return (
    <div class="output" role="log" aria-label={label} aria-live="off" tabIndex={0}>
      {lines.map(({ at, stream, text }, index) => (
        // Two lines may be the same in every way.
        <p key={`${at} ${index}`} class={stream === 'tandem' ? 'quiet' : stream === 'err' ? 'err' : undefined}>
          <time dateTime={at}>{at.slice(11, 23)}</time>{' '}
          <span aria-hidden="true">{stream === 'tandem' ? '·' : '│'}</span> {visible(text)}
        </p>
      ))}
      {lines.length === 0 && <p class="quiet">No output yet.</p>}
    </div>
  )
}

interface InstanceProps {
  service: string
  instance: string
}

const Links = ({ service, instance, follow }: InstanceProps & { follow: boolean }): JSX.Element => (
  <p class="second">
    <a href={`/logs/${service}?instance=${encodeURIComponent(instance)}`}>All its lines</a> ·{' '}
    <Command>{`tandem logs ${service} ${follow ? '-f ' : ''}--instance ${instance}`}</Command>
  </p>
)

/** The newest lines of an instance as they come. */
export function LiveOutput({ service, instance }: InstanceProps): JSX.Element {
  const { openTail, past } = useCluster()
  const lines = useSignal<readonly Line[]>([])
  useEffect(() => {
    lines.value = []
    const tail = openTail({ service, instance, last: shownLines }, (items) => {
      const fresh = items.flatMap((item) => (item.kind === 'line' ? [item] : []))
      lines.value = [...lines.peek(), ...fresh].slice(-shownLines)
    })
    return () => tail.close()
  }, [openTail, service, instance, lines])
  return (
    <>
      {past === null ? (
        <Output lines={lines.value} label={`output of ${instance}`} />
      ) : (
        <p class="quiet">The event log holds no output.</p>
      )}
      <Links {...{ service, instance }} follow={past === null} />
    </>
  )
}

/** Delay until last words that are not there yet are asked for again. */
const lastWordsAgainMs = 3_000

/** The last lines of an instance before it failed. */
export function LastWords({ service, instance }: InstanceProps): JSX.Element {
  const { api, past } = useCluster()
  const found = useSignal<LastWordsView | string | null>(null)
  const isPast = past !== null
  useEffect(() => {
    const stop = new AbortController()
    let timer: ReturnType<typeof setTimeout> | undefined
    const ask = (): void => {
      api.call('lastWords', { params: { instance } }, stop.signal).then(
        (answer) => (found.value = answer),
        (error: unknown) => {
          if (stop.signal.aborted) return
          if (error instanceof Refused) found.value = error.message
          // The machine sends them with one of its next reports.
          if (!isPast) timer = setTimeout(ask, lastWordsAgainMs)
        },
      )
    }
    ask()
    return () => {
      stop.abort()
      clearTimeout(timer)
    }
  }, [api, instance, found, isPast])
  const { value } = found
  return (
    <>
      {value === null && <p class="quiet">Reading its last lines.</p>}
      {typeof value === 'string' && <p class="quiet">{value}</p>}
      {typeof value === 'object' && value !== null && (
        <Output lines={value.lines} label={`last lines of ${instance}`} />
      )}
      <Links {...{ service, instance }} follow={false} />
    </>
  )
}

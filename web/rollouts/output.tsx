import { useSignal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect } from 'preact/hooks'
import { useCluster } from '../lib/cluster.ts'
import { Command } from '../lib/command.tsx'
import { Output, type OutputLine } from '../lib/output.tsx'
import { useLastWords } from '../lib/useLastWords.ts'

/** Lines of output that stand beside a rollout. */
const shownLines = 14

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
  const lines = useSignal<readonly OutputLine[]>([])
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

/** The last lines of an instance before it failed. */
export function LastWords({ service, instance }: InstanceProps): JSX.Element {
  const words = useLastWords(instance)
  return (
    <>
      {words === null || typeof words === 'string' ? (
        <p class="quiet">{words ?? 'Reading its last lines.'}</p>
      ) : (
        <Output lines={words.lines} label={`last lines of ${instance}`} />
      )}
      <Links {...{ service, instance }} follow={false} />
    </>
  )
}

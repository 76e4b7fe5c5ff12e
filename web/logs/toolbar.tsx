import { useSignal, type Signal } from '@preact/signals'
import type { JSX } from 'preact'
import { useEffect, useRef } from 'preact/hooks'
import { useCluster } from '../lib/cluster.ts'
import { Command } from '../lib/command.tsx'
import { Shape } from '../lib/glyph.tsx'
import { addKeys } from '../lib/keys.ts'
import { go, setQuery } from '../lib/router.ts'
import { utcMinute } from '../lib/time.ts'
import { downloadLog } from './downloadLog.ts'
import { grouped } from '../lib/numbers.ts'
import { logCommand, newestLines, type LogQuery } from './logQuery.ts'

const minutes: [string, number][] = [
  ['15 min', 15],
  ['1 h', 60],
  ['6 h', 360],
  ['1 d', 1_440],
]

interface ToolbarProps {
  query: LogQuery
  find: Signal<string>
  isFollowing: Signal<boolean>
}

export function Toolbar({ query, find, isFollowing }: ToolbarProps): JSX.Element {
  const { overview, now } = useCluster()
  const input = useRef<HTMLInputElement>(null)
  useEffect(
    () =>
      addKeys([
        { keys: '/', does: 'Find', group: 'Lists and charts', run: () => input.current?.focus() },
        {
          ...{ keys: 'Space', does: 'Pause or go live', group: 'Lists and charts' },
          run: () => (isFollowing.value = !isFollowing.peek()),
        },
      ]),
    [],
  )
  const services = overview.value?.services.map(({ service }) => service) ?? []
  const all = services.includes(query.service) ? services : [query.service, ...services]
  const since = (ago: number): void => {
    setQuery({ since: new Date(Math.floor(now.peek() / 1_000) * 1_000 - ago * 60_000).toISOString() })
  }
  return (
    <div class="log-tools">
      <div class="line">
        <label>
          <span class="vh">service</span>
          <select onChange={({ currentTarget: { value } }) => go(`/logs/${value}`)}>
            {all.map((service) => (
              <option key={service} selected={service === query.service}>
                {service}
              </option>
            ))}
          </select>
        </label>
        <input
          ref={input}
          type="search"
          aria-label="find in these lines"
          placeholder="Find in these lines"
          value={find.value}
          onInput={({ currentTarget: { value } }) => (find.value = value)}
          onKeyDown={({ key, currentTarget }) => key === 'Escape' && currentTarget.blur()}
        />
        <div class="segments" role="group" aria-label="since when">
          <button type="button" aria-pressed={query.since === null} onClick={() => setQuery({ since: null })}>
            newest
          </button>
          {minutes.map(([name, ago]) => (
            <button key={name} type="button" onClick={() => since(ago)} aria-label={`the last ${name}`}>
              {name}
            </button>
          ))}
        </div>
        <button
          type="button"
          class="follow"
          aria-pressed={isFollowing.value}
          onClick={() => (isFollowing.value = !isFollowing.peek())}
        >
          <Shape shape={isFollowing.value ? 'square' : 'play'} /> {isFollowing.value ? 'Following' : 'Follow'}
        </button>
        <DownloadButton query={query} />
      </div>
      <p class="second">
        {query.since === null
          ? `The newest ${grouped(newestLines)} lines of each machine, and each new one. `
          : `Lines since ${query.since.slice(11, 19)}, ${utcMinute(query.since).slice(0, 10)} (UTC). `}
        <Command>{logCommand(query)}</Command>
      </p>
    </div>
  )
}

type Progress =
  | { state: 'idle' }
  | { state: 'reading'; lines: number }
  | { state: 'saved'; lines: number; missing: string[] }
  | { state: 'failed'; reason: string }

function DownloadButton({ query }: { query: LogQuery }): JSX.Element {
  const { api } = useCluster()
  const progress = useSignal<Progress>({ state: 'idle' })
  const stop = useRef(new AbortController())
  useEffect(() => () => stop.current.abort(), [])
  const { value } = progress
  const run = (): void => {
    if (value.state === 'reading') return stop.current.abort()
    stop.current = new AbortController()
    const { signal } = stop.current
    progress.value = { state: 'reading', lines: 0 }
    downloadLog(api, query, (lines) => (progress.value = { state: 'reading', lines }), signal).then(
      (done) => (progress.value = { state: 'saved', ...done }),
      (error: unknown) => {
        const reason = error instanceof Error ? error.message : String(error)
        progress.value = signal.aborted ? { state: 'idle' } : { state: 'failed', reason }
      },
    )
  }
  return (
    <>
      <button type="button" onClick={run}>
        {value.state === 'reading' ? 'Stop' : 'Download'}
      </button>
      <span role="status" class="download">
        {downloadWords(value)}
      </span>
    </>
  )
}

function downloadWords(progress: Progress): string {
  switch (progress.state) {
    case 'idle':
      return ''
    case 'reading':
      return `${grouped(progress.lines)} lines so far`
    case 'saved':
      return [`Saved ${grouped(progress.lines)} lines`, ...progress.missing].join('; ')
    case 'failed':
      return `Not saved: ${progress.reason}`
  }
}

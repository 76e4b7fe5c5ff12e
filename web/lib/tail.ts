import { effect, type ReadonlySignal } from '@preact/signals'
import type { Given, Operations } from '../../src/api/contract.ts'
import type { TailItem } from '../../src/api/tails.ts'
import { Refused, type Api } from './api.ts'

/** The output to follow: see `POST /live/{stream}/tails`. */
export type TailWanted = Omit<Given<Operations['openTail']>['body'], 'tail' | 'resume'>

/** The stream of this browser. */
interface Carrier {
  stream: ReadonlySignal<string | null>
  onTail: (tail: string, heard: (items: TailItem[]) => void) => () => void
}

interface Options {
  carrier: Carrier
  api: Pick<Api, 'call'>
  wanted: TailWanted
  /** New output in the order of its arrival; a line comes once, also over an outage. */
  heard: (items: TailItem[]) => void
  /** The controller refuses the tail, such as one of an unknown service. */
  refused: (refusal: Refused) => void
  newId: () => string
}

type Line = Extract<TailItem, { kind: 'line' }>

/**
 * Follows output in the stream that all tabs share, until the returned function is called. When the stream begins again,
 * the tail goes on behind the newest known line of each machine.
 */
export function followTail({ carrier, api, wanted, heard, refused, newId }: Options): () => void {
  const tail = newId()
  const seen = new SeenLines()
  const stopHearing = carrier.onTail(tail, (items) => {
    const fresh = items.filter((item) => item.kind !== 'line' || seen.add(item))
    if (fresh.length > 0) heard(fresh)
  })
  const stopFollowing = effect(() => {
    const { value: stream } = carrier.stream
    if (stream === null) return undefined
    seen.resume()
    const body = { tail, ...wanted, resume: seen.newest() }
    api.call('openTail', { params: { stream }, body }).catch((error: unknown) => {
      // A stream that has ended meanwhile is followed by another one.
      if (error instanceof Refused && carrier.stream.peek() === stream && error.status !== 401) refused(error)
    })
    // The stream may go on without this tab, which nobody sees any more.
    return () => void api.call('endTail', { params: { stream, tail } }).catch(() => {})
  })
  return () => {
    stopFollowing()
    stopHearing()
  }
}

/** A machine that goes on behind its newest line sends the lines of that very moment again. */
class SeenLines {
  /** By machine: the time of its newest line, and the lines of that moment. */
  readonly #newest = new Map<string, { at: string; lines: string[]; again: string[] }>()

  newest(): Record<string, string> {
    return Object.fromEntries([...this.#newest].map(([machine, { at }]) => [machine, at]))
  }

  /** The lines of the newest moment may come again from now on. */
  resume(): void {
    for (const known of this.#newest.values()) known.again = [...known.lines]
  }

  /** False: the line has come before. */
  add({ machine, at, instance, stream, text }: Line): boolean {
    const line = `${instance} ${stream} ${text}`
    const known = this.#newest.get(machine)
    if (known === undefined || at > known.at) {
      this.#newest.set(machine, { at, lines: [line], again: [] })
      return true
    }
    const repeated = at === known.at ? known.again.indexOf(line) : -1
    if (repeated >= 0) known.again.splice(repeated, 1)
    else if (at === known.at) known.lines.push(line)
    return repeated < 0
  }
}

import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import type { ApiClient } from '../api/client.ts'
import type { RolloutView } from '../api/views.ts'
import { removeTree } from '../releases/removeTree.ts'
import { startLaptop, type Laptop } from '../laptop/laptopCluster.ts'
import { DataLock } from '../laptop/dataLock.ts'
import { programFolder } from '../lib/programFolder.ts'
import { selfCommand } from '../lib/selfCommand.ts'
import { LoadGenerator, type LoadReport } from './loadGenerator.ts'
import { Sample } from './sample.ts'

/** The load runs this long before and after each rollout. */
const calmMs = 1_500

export interface RolledSample {
  rollout: RolloutView
  /** Last lines of the instance that failed, if one did. */
  lastLines: string[]
}

interface Tour {
  /** Folder below which the tour keeps everything. */
  base: string
  /** Whether to keep the tour's data. */
  keep: boolean
  env: NodeJS.ProcessEnv
  signal: AbortSignal
  /** Aborts when the process must end at once: only synchronous work is possible then. */
  forced: AbortSignal
  note: (text: string) => void
  warn: (text: string) => void
  /** Publishes a folder and rolls it out, as `push` does. */
  roll: (client: ApiClient, folder: string) => Promise<RolledSample>
}

interface Story {
  first: RolloutView
  second: RolloutView
  broken: RolloutView
  /** Output of the broken release before it exited. */
  lastLines: string[]
  load: LoadReport
}

export interface Told extends Story {
  /** True if no request failed, the second release was rolled out, and the broken one was reverted. */
  passed: boolean
  seconds: number
  /** The data folder, if it was kept. */
  data: string | null
}

/** Starts a pair, puts a sample service under load, and rolls it to a second release and to a broken one. */
export async function takeTour(tour: Tour): Promise<Told> {
  const { base, keep, note, forced } = tour
  mkdirSync(base, { recursive: true })
  const folder = mkdtempSync(join(base, 'demo-'))
  const data = join(folder, 'data')
  const lock = DataLock.take(data)
  const startedAt = performance.now()
  let laptop: Laptop | null = null
  forced.addEventListener('abort', () => {
    laptop?.kill()
    if (!keep) rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  })
  try {
    note('starting a pair: one controller and two machines')
    laptop = await startLaptop({
      ...{ data, machines: ['a', 'b'], port: 0, entryPort: 0, self: selfCommand(), env: withSomeNode(tour.env) },
      signal: tour.signal,
      onNews: tour.warn,
    })
    const story = await tell(tour, laptop, new Sample(join(programFolder, 'examples/node'), join(folder, 'sample')))
    note('stopping the pair')
    await laptop.stop()
    laptop = null
    const seconds = (performance.now() - startedAt) / 1000
    const passed = story.load.failed === 0 && story.second.state === 'completed' && story.broken.state === 'reverted'
    return { passed, seconds, data: keep ? data : null, ...story }
  } finally {
    await laptop?.stop()
    lock.release()
    if (!keep) await removeTree(folder)
  }
}

/** The sample is a program for Node. If PATH has no Node, this adds the one that runs Tandem. */
const withSomeNode = (env: NodeJS.ProcessEnv): NodeJS.ProcessEnv => ({
  ...env,
  PATH: [...(env['PATH'] ? [env['PATH']] : []), dirname(process.execPath)].join(delimiter),
})

async function tell({ note, signal, roll }: Tour, { client, entries }: Laptop, sample: Sample): Promise<Story> {
  const rolled = async (what: string): Promise<RolledSample> => {
    note(`\n${what}`)
    return roll(client, sample.folder)
  }
  const { rollout: first } = await rolled('publishing examples/node as release 1')
  const load = new LoadGenerator(Object.values(entries))
  try {
    await calm(load, signal)
    note(
      `\nsending requests to ${Object.values(entries).join(' and ')}: kept-alive connections, some slow requests, no retries`,
    )
    sample.second()
    const { rollout: second } = await rolled('rolling out release 2')
    await calm(load, signal)
    sample.broken()
    const { rollout: broken, lastLines } = await rolled('rolling out release 3, which exits before it is ready')
    await calm(load, signal)
    return { first, second, broken, lastLines, load: await load.stop() }
  } catch (error) {
    await load.stop()
    throw error
  }
}

async function calm(load: LoadGenerator, signal: AbortSignal): Promise<void> {
  const until = performance.now() + calmMs
  while (performance.now() < until && load.failed === 0) {
    signal.throwIfAborted()
    await new Promise((resolve) => setTimeout(resolve, 50))
  }
}

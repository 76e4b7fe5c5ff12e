import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { delimiter, dirname, join } from 'node:path'
import type { RolloutView } from '../../api/views.ts'
import { removeTree } from '../../releases/removeTree.ts'
import { startLaptop, type Laptop } from '../../laptop/laptopCluster.ts'
import { DataLock } from '../../laptop/dataLock.ts'
import { selfCommand } from '../../lib/selfCommand.ts'
import { isCheckout, programFolder } from '../../lib/programFolder.ts'
import type { Session } from '../session.ts'
import { LoadGenerator, type LoadReport } from './loadGenerator.ts'
import { releaseFolder, type DemoRelease } from './releaseFolder.ts'
import { renderDemo } from './renderDemo.ts'
import { Sample } from './sample.ts'

/** The load runs this long before and after each rollout. */
const calmMs = 1_500

/** Runs the tour. Exits with 0 only if no request failed and the broken release was reverted. */
export async function runDemo(session: Session, keep: boolean): Promise<number> {
  const { out, host, interrupts } = session
  // The folder of an installed program may be read-only.
  const base = isCheckout ? join(programFolder, '.tandem') : session.folders.cache
  mkdirSync(base, { recursive: true })
  const folder = mkdtempSync(join(base, 'demo-'))
  const data = join(folder, 'data')
  const lock = DataLock.take(data)
  const startedAt = performance.now()
  let laptop: Laptop | null = null
  interrupts.forced.addEventListener('abort', () => {
    laptop?.kill()
    if (!keep) rmSync(folder, { recursive: true, force: true, maxRetries: 10, retryDelay: 100 })
  })
  try {
    out.note('starting a pair: one controller and two machines')
    laptop = await startLaptop({
      ...{ data, machines: ['a', 'b'], port: 0, entryPort: 0, self: selfCommand(), env: withSomeNode(host.env) },
      signal: interrupts.signal,
      onNews: (text) => out.warn(text),
    })
    const story = await tell(session, laptop, new Sample(join(programFolder, 'examples/node'), join(folder, 'sample')))
    out.note('stopping the pair')
    await laptop.stop()
    laptop = null
    const seconds = (performance.now() - startedAt) / 1000
    const passed = story.load.failed === 0 && story.second.state === 'completed' && story.broken.state === 'reverted'
    out.result({ passed, seconds, data: keep ? data : null, ...story }, () =>
      renderDemo({ ...story, passed, seconds, data: keep ? data : null, paint: out.paint }),
    )
    return passed ? 0 : 1
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

interface Story {
  first: RolloutView
  second: RolloutView
  broken: RolloutView
  /** Output of the broken release before it exited. */
  lastLines: string[]
  load: LoadReport
}

async function tell(session: Session, { client, entries }: Laptop, sample: Sample): Promise<Story> {
  const { out, signal } = session
  const roll = async (what: string): Promise<DemoRelease> => {
    out.note(`\n${what}`)
    return releaseFolder(session, client, sample.folder)
  }
  const { rollout: first } = await roll('publishing examples/node as release 1')
  const load = new LoadGenerator(Object.values(entries))
  try {
    await calm(load, signal)
    out.note(
      `\nsending requests to ${Object.values(entries).join(' and ')}: kept-alive connections, some slow requests, no retries`,
    )
    sample.second()
    const { rollout: second } = await roll('rolling out release 2')
    await calm(load, signal)
    sample.broken()
    const { rollout: broken, lastLines } = await roll('rolling out release 3, which exits before it is ready')
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

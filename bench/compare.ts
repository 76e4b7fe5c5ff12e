import { execFile } from 'node:child_process'
import { mkdirSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { promisify } from 'node:util'
import { median } from './median.ts'

/*
 * Cost of a change: runs the benchmarks of an earlier commit and of this checkout alternately, and those of the earlier
 * commit a second time, whose ratio to itself shows the noise. `make bench-compare OLD=COMMIT`; PAIRS=10;
 * ONLY=rollout,lab.
 */

interface Figure {
  /** The number at this position in the first line that matches. */
  line: RegExp
  /** If several lines match: the first one after the line that matches this. */
  behind?: RegExp
  place: number
  isBetter: 'less' | 'more'
}

interface Bench {
  file: string
  args: string[]
  env: Record<string, string>
  /** Runs all three at the same time, for a figure of idle processes: other work of this computer then affects all alike. */
  isIdle?: boolean
  figures: Record<string, Figure>
}

const benches: Record<string, Bench> = {
  rollout: {
    ...{ file: 'bench/rollout.ts', args: [], env: { ROUNDS: '7' } },
    figures: {
      'rollout, accepted to done, ms': { line: /^publish accepted to all done/, place: 0, isBetter: 'less' },
      'rollout, fixed cost, ms': { line: /^fixed cost/, place: 0, isBetter: 'less' },
    },
  },
  balancer: {
    ...{ file: 'bench/balancer.ts', args: ['2', '3'], env: {} },
    figures: {
      'embedded, GET, CPU us': { line: /^ {2}embedded/, behind: /^GET/, place: 0, isBetter: 'less' },
      'embedded, GET, requests/s': { line: /^ {2}embedded/, behind: /^GET/, place: 1, isBetter: 'more' },
      'embedded, POST, CPU us': { line: /^ {2}embedded/, behind: /^POST/, place: 0, isBetter: 'less' },
      'embedded, POST, requests/s': { line: /^ {2}embedded/, behind: /^POST/, place: 1, isBetter: 'more' },
    },
  },
  lab: {
    ...{ file: 'bench/lab.ts', args: [], env: { ROUNDS: '7', ROUNDS_LOAD: '3', SECONDS_LOAD: '3' } },
    figures: {
      'machines, accepted to done, ms': { line: /^publish accepted to all done/, place: 0, isBetter: 'less' },
      'machines, fixed cost, ms': { line: /^fixed cost/, place: 0, isBetter: 'less' },
      'HAProxy, requests/s': { line: /^through a's HAProxy/, place: 0, isBetter: 'more' },
      'HAProxy, p99 ms': { line: /^through a's HAProxy/, place: 2, isBetter: 'less' },
      'HAProxy of both, requests/s': { line: /^through a's and b's/, place: 0, isBetter: 'more' },
      'HAProxy of both, p99 ms': { line: /^through a's and b's/, place: 2, isBetter: 'less' },
    },
  },
  cli: {
    ...{ file: 'bench/cli.ts', args: [], env: {} },
    figures: {
      'tandem status, ms': { line: /^\.\/tandem status/, place: 0, isBetter: 'less' },
    },
  },
  release: {
    ...{ file: 'bench/release.ts', args: [], env: { RUNS: '3' } },
    figures: {
      'push to fetched, s': { line: /^ {2}push to fetched/, place: 0, isBetter: 'less' },
      'first push, upload, s': { line: /^ {2}first push: upload/, place: 0, isBetter: 'less' },
      'first push, fetch, s': { line: /^ {2}first push: fetch/, place: 0, isBetter: 'less' },
      'make both folders, s': { line: /^ {2}make both folders/, place: 0, isBetter: 'less' },
    },
  },
  agent: {
    // Agents use more CPU until the tail of the rollouts is over; clock ticks of 10 ms need a long look.
    ...{ file: 'bench/agent.ts', args: [], env: { SECONDS_SETTLE: '60', SECONDS_IDLE: '90' }, isIdle: true },
    figures: {
      'agent, memory, MB': { line: /^agent of a/, place: 0, isBetter: 'less' },
      'agent, CPU %': { line: /^agent of a/, place: 1, isBetter: 'less' },
      'controller, memory, MB': { line: /^controller/, place: 0, isBetter: 'less' },
      'controller, CPU %': { line: /^controller/, place: 1, isBetter: 'less' },
    },
  },
  machine: {
    ...{ file: 'bench/machine.ts', args: [], env: { SERVICES: '10', SECONDS_SETTLE: '20', SECONDS_IDLE: '20' } },
    figures: {
      'agent, memory, MB': { line: /^tandem-agent/, place: 0, isBetter: 'less' },
      'agent, own memory, MB': { line: /^tandem-agent/, place: 1, isBetter: 'less' },
      'agent, CPU %': { line: /^tandem-agent/, place: 2, isBetter: 'less' },
      'guard, memory, MB': { line: /^tandem-guard/, place: 0, isBetter: 'less' },
      'guard, CPU %': { line: /^tandem-guard/, place: 2, isBetter: 'less' },
    },
  },
}

const run = promisify(execFile)
const root = join(import.meta.dirname, '..')
const longestMs = 600_000
const old = process.env['OLD'] ?? ''
const pairs = Number(process.env['PAIRS'] ?? 10)
const only = (process.env['ONLY'] ?? Object.keys(benches).join(',')).split(',')
const wanted = Object.entries(benches).filter(([name]) => only.includes(name))
if (old === '' || wanted.length === 0) {
  console.error(`set OLD=COMMIT to the commit to compare with; ONLY takes a list of ${Object.keys(benches).join(',')}`)
  process.exit(2)
}

type Figures = Record<string, number>

mkdirSync(join(root, 'tmp'), { recursive: true })
const folders = { old: join(root, 'tmp', `compare-${process.pid}`), again: join(root, 'tmp', `again-${process.pid}`) }
for (const folder of Object.values(folders))
  await run('git', ['worktree', 'add', '--detach', folder, old], { cwd: root })
try {
  for (const folder of Object.values(folders))
    await run('npm', ['ci', '--no-audit', '--no-fund', '--loglevel=error'], { cwd: folder })
  for (const [name, bench] of wanted) await compare(name, bench)
} finally {
  for (const folder of Object.values(folders)) {
    await run('git', ['worktree', 'remove', '--force', folder], { cwd: root })
    rmSync(folder, { recursive: true, force: true })
  }
}

/** Alternates, with every second pair in reverse order, so that other work of this computer affects all three. */
async function compare(name: string, bench: Bench): Promise<void> {
  const found: { old: Figures; new: Figures; again: Figures }[] = []
  for (let pair = 0; pair < pairs; pair++) {
    const one: Partial<(typeof found)[number]> = {}
    const turns = [
      async () => void (one.old = await figuresOf(folders.old, bench)),
      async () => void (one.new = await figuresOf(root, bench)),
      async () => void (one.again = await figuresOf(folders.again, bench)),
    ]
    if (bench.isIdle) await again(bench, 'the three', () => Promise.all(turns.map((turn) => turn())))
    else for (const turn of pair % 2 === 0 ? turns : turns.toReversed()) await turn()
    found.push(one as (typeof found)[number]) // all three have run
    console.error(`${name}: pair ${pair + 1} of ${pairs}`)
  }
  console.log(`\n${name}: ${pairs} pairs, medians; ratios are medians of pairs, above 1 is worse`)
  console.log(`${'figure'.padEnd(34)} ${old.slice(0, 9).padStart(10)}        new    new/old    old/old`)
  for (const [figure, { isBetter }] of Object.entries(bench.figures)) {
    const of = (which: keyof (typeof found)[number]): number[] => found.map((one) => one[which][figure] ?? Number.NaN)
    const worse = (a: number[], b: number[]): number =>
      median(a.map((value, index) => (isBetter === 'less' ? value / (b[index] ?? 0) : (b[index] ?? 0) / value)))
    const cells = [median([...of('old'), ...of('again')]), median(of('new'))].map((value) =>
      value.toFixed(value < 10 ? 3 : 1).padStart(10),
    )
    const ratios = [worse(of('new'), of('old')), worse(of('again'), of('old'))].map((ratio) =>
      ratio.toFixed(3).padStart(10),
    )
    console.log(`${figure.padEnd(34)} ${[...cells, ...ratios].join(' ')}`)
  }
}

/** A run that fails is repeated once: an hour of pairs is too much to lose to a port that another program took. */
async function again<T>({ file }: Bench, whose: string, attempt: () => Promise<T>): Promise<T> {
  try {
    return await attempt()
  } catch (error) {
    console.error(`${file} of ${whose} failed and runs again:`, error)
    return attempt()
  }
}

/** Of idle processes the three run together, and are repeated together. */
const figuresOf = (folder: string, bench: Bench): Promise<Figures> =>
  bench.isIdle ? figuresOfRun(folder, bench) : again(bench, folder, () => figuresOfRun(folder, bench))

async function figuresOfRun(folder: string, { file, args, env, figures }: Bench): Promise<Figures> {
  const { stdout } = await run(process.execPath, ['--disable-warning=ExperimentalWarning', file, ...args], {
    ...{ cwd: folder, env: { ...process.env, ...env }, timeout: longestMs, maxBuffer: 16 * 1024 * 1024 },
  }).catch((error: { code?: unknown; stdout?: string; stderr?: string }) => {
    // A benchmark that misses its goal exits with 1, and has printed its figures.
    if (error.code !== 1 || !error.stdout) throw error
    return { stdout: `${error.stdout}\n${error.stderr}` }
  })
  return Object.fromEntries(Object.entries(figures).map(([name, figure]) => [name, numberIn(stdout, figure, file)]))
}

function numberIn(output: string, { line, behind, place }: Figure, file: string): number {
  const all = output.split('\n')
  const lines = behind ? all.slice(all.findIndex((text) => behind.test(text))) : all
  const text = lines.find((one) => line.test(one))?.replace(line, '') ?? ''
  const value = Number(text.match(/(?<=\s)\d+(?:\.\d+)?(?=\s|$)/g)?.[place])
  if (Number.isNaN(value)) throw new Error(`${file} printed no figure ${String(line)}:\n${output}`)
  return value
}

import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { web } from '../system/rollUnderLoad.ts'
import type { LabMachine } from './labMachine.ts'
import { Pair } from './pair.ts'
import { whyNoLab } from './requirements.ts'

const why = whyNoLab()
const bootMs = 700_000
const kills = Number(process.env['TANDEM_KILLS'] ?? 9)
const seed = Number(process.env['TANDEM_SEED'] ?? Date.now() % 1_000_000)
/** Longest time into a command at which something is killed. */
const mostMs = 2_500
const finishMs = 60_000

/** mulberry32: the same seed kills the same at the same moments. */
function chance(from: number): () => number {
  let state = from
  return () => {
    state = (state + 0x6d2b79f5) | 0
    let t = Math.imul(state ^ (state >>> 15), 1 | state)
    t = (t + Math.imul(t ^ (t >>> 7), 61 | t)) ^ t
    return ((t ^ (t >>> 14)) >>> 0) / 4_294_967_296
  }
}

describe.skipIf(why)(`kill -9 at random moments${why ? ` (skipped: ${why})` : ''}`, () => {
  let pair: Pair
  const random = chance(seed)
  beforeAll(async () => {
    pair = await Pair.open()
    await pair.roll('web', web({ name: 'web', version: '1', drain: 500 }))
    pair.controller.write('/root/patch.sh', 'sleep 0.5\n')
  }, bootMs)
  afterAll(() => pair?.close())

  const a = () => pair.lab.machine('a')
  const answers = async (): Promise<boolean> => {
    const asked = await pair.lab.client.run(['curl', '-s', '--max-time', '3', pair.entries[1] ?? ''])
    return asked.out.startsWith('hello')
  }
  /** Ends what is chosen of these a while after the command has begun; the command itself is one of them. */
  async function cutOff(on: LabMachine, argv: string[], victims: [LabMachine, string][]): Promise<string> {
    const afterMs = Math.floor(random() * mostMs)
    const victim = victims[Math.floor(random() * (victims.length + 1))]
    if (!victim) {
      await on.run(['timeout', '-s', 'KILL', `${afterMs / 1000}`, ...argv])
      return `the command after ${afterMs} ms`
    }
    const [machine, unit] = victim
    const running = on.run(argv, { timeoutMs: 120_000 })
    await machine.run(['sh', '-c', `sleep ${afterMs / 1000}; systemctl kill --kill-whom=all -s KILL ${unit}`])
    await running
    return `${unit} after ${afterMs} ms`
  }
  /** The same command again, until it is done: a controller that was just killed may not answer yet. */
  async function finishes(on: LabMachine, argv: string[], what: string): Promise<void> {
    let said = ''
    const deadline = performance.now() + finishMs
    while (performance.now() < deadline) {
      const { code, out, err } = await on.run(argv, { timeoutMs: 120_000 })
      if (code === 0) return
      said = `${code} ${out} ${err}`
    }
    throw new Error(`${argv.join(' ')} does not finish (${what}; TANDEM_SEED=${seed}): ${said}`)
  }
  const controller = (): [LabMachine, string] => [pair.controller, 'tandem-controller']
  const agent = (): [LabMachine, string] => [a(), 'tandem-agent']

  it(
    `of patch, leave and join: run again, each finishes (${kills} kills, TANDEM_SEED=${seed})`,
    { timeout: 60_000 * kills + 120_000 },
    async () => {
      for (let round = 0; round < kills; round += 3) {
        const patch = ['tandem', 'machine', 'patch', 'a', '--script', '/root/patch.sh', '--no-reboot']
        const patched = await cutOff(pair.controller, patch, [controller(), agent(), [a(), 'tandem-haproxy']])
        await finishes(pair.controller, patch, patched)
        await pair.until('ready', ['a', 'b'], 60_000)

        const leave = ['tandem', 'agent', 'leave', '--purge', '--remove-data']
        const left = await cutOff(a(), leave, [agent(), [a(), 'tandem-haproxy']])
        const again = await a().run(leave, { timeoutMs: 120_000 })
        // 2: nothing was left to do.
        if (again.code !== 0 && !again.err.includes('there is no agent here'))
          throw new Error(`leaving does not finish (${left}; TANDEM_SEED=${seed}): ${again.out} ${again.err}`)
        expect((await a().run(['systemctl', 'list-unit-files', 'tandem*', '--no-legend'])).out.trim()).toBe('')
        expect((await a().run(['ls', '/var/lib/tandem'])).code).not.toBe(0)

        const { command } = await pair.tandem<{ command: string }>('machine', 'add', 'a')
        const join = command.split(' ')
        const joined = await cutOff(a(), join, [controller()])
        await finishes(a(), join, joined)
        await pair.until('ready', ['a'], 60_000)
        expect(await answers()).toBe(true)
        console.log(`killed: ${patched}; ${left}; ${joined}`)
      }
    },
  )
})

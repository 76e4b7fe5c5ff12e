import { beforeAll, describe, expect, it } from 'vitest'
import { randomRun } from '../../src/lib/testing/randomRun.ts'
import { seededRandom } from '../../src/lib/testing/seededRandom.ts'
import { web } from '../system/rollUnderLoad.ts'
import { killUnits } from './killUnits.ts'
import type { LabMachine } from './labMachine.ts'
import { entryPort, installCommand, type Pair } from './pair.ts'
import { bootMs, virtualAddress as address } from './sharedPair.ts'

const { seed, count: kills } = randomRun('kills', { check: 5, soak: 100 })
/** Latest time of a kill after the start of a command; `leave` ends sooner. */
const mostMs = 2_500
const mostOfLeavingMs = 1_200
const finishMs = 60_000
/**
 * Arguments of the patches. Most have no restart of the machine, because a round with one takes three times as long.
 */
const patches = [['a'], ['--all', '--no-reboot'], ...Array.from({ length: 4 }, () => ['a', '--no-reboot'])]
const leaves = [['--purge', '--remove-data'], []]
const purged = ['tandem', 'agent', 'leave', '--purge', '--remove-data']
/** An exit status from here up means a signal. */
const firstSignalCode = 128

/** Needs a pair with a virtual address, installed from the Debian package. */
export const killsSuite = (lend: () => Promise<Pair>, packageFile: () => string): void => {
  describe('kill -9 at random moments', () => {
    let pair: Pair
    let install: string[] = []
    const random = seededRandom(seed)
    beforeAll(async () => {
      pair = await lend()
      install = installCommand(packageFile())
      await pair.roll('web', web({ name: 'web', version: '1', drain: 500 }))
      pair.controller.write('/root/patch.sh', 'sleep 0.5\n')
    }, bootMs)

    const a = () => pair.lab.machine('a')
    const answers = async (): Promise<boolean> => {
      const entries = [...pair.entries, `http://${address}:${entryPort}`]
      const asked = await Promise.all(
        entries.map((entry) => pair.lab.client.run(['curl', '-s', '--max-time', '3', entry])),
      )
      return asked.every(({ out }) => out.startsWith('hello'))
    }
    let done = 0
    /**
     * Kills one of these a while after the start of the command, which is itself one of them; counts the kill if it hit a
     * process.
     */
    async function cutOff(
      on: LabMachine,
      argv: string[],
      victims: [LabMachine, string][],
      most = mostMs,
    ): Promise<string> {
      const afterMs = Math.floor(random() * most)
      const victim = victims[Math.floor(random() * (victims.length + 1))]
      const told = (what: string, isKilled: boolean): string => {
        done += isKilled ? 1 : 0
        return `${what} after ${afterMs} ms${isKilled ? '' : ', when it did not run'}`
      }
      if (!victim) {
        const { code } = await on.run(['timeout', '-s', 'KILL', `${afterMs / 1000}`, ...argv])
        return told('the command', code >= firstSignalCode)
      }
      const [machine, unit] = victim
      const running = on.run(argv, { timeoutMs: 120_000 })
      const isKilled = await killUnits(machine, unit, afterMs)
      await running
      return told(unit, isKilled)
    }
    /** Repeats the same command until it succeeds: a controller that was just killed may not answer yet. */
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
    /** Repeats the command; exit 2 and this message mean that nothing was left to do. */
    async function hasLeft(leave: string[], what: string): Promise<void> {
      const { code, out, err } = await a().run(leave, { timeoutMs: 120_000 })
      if (code !== 0 && !err.includes('there is no agent here'))
        throw new Error(`${leave.join(' ')} does not finish (${what}; TANDEM_SEED=${seed}): ${out} ${err}`)
    }
    const one = <T>(many: T[]): T => many[Math.floor(random() * many.length)] as T // the list is not empty
    const controller = (): [LabMachine, string] => [pair.controller, 'tandem-controller']
    const parts = (...names: string[]): [LabMachine, string][] => names.map((name) => [a(), `tandem-${name}`])
    const everything = ['agent', 'privileged', 'guard', 'keepalived', 'haproxy']

    it(
      `of patch, leave, install and join: run again, each finishes (${kills} kills, TANDEM_SEED=${seed})`,
      { timeout: 60_000 * kills + 120_000 },
      async () => {
        while (done < kills) {
          const patch = ['tandem', 'machine', 'patch', ...one(patches), '--script', '/root/patch.sh']
          const patched = await cutOff(pair.controller, patch, [controller(), ...parts(...everything)])
          await finishes(pair.controller, patch, patched)
          await pair.until('ready')

          const leave = ['tandem', 'agent', 'leave', ...one(leaves)]
          const left = await cutOff(a(), leave, parts(...everything), mostOfLeavingMs)
          await hasLeft(leave, left)
          if (leave.length < purged.length) {
            expect((await a().run(['systemctl', 'list-unit-files', 'tandem-agent*', '--no-legend'])).out.trim()).toBe(
              '',
            )
            await expect.poll(answers).toBe(true)
            await hasLeft(purged, left)
          }
          expect((await a().run(['systemctl', 'list-unit-files', 'tandem*', '--no-legend'])).out.trim()).toBe('')
          expect((await a().run(['ls', '/var/lib/tandem'])).code).not.toBe(0)

          const installed = await cutOff(a(), install, [])
          await finishes(a(), install, installed)

          const { command } = await pair.tandem<{ command: string }>('machine', 'add', 'a')
          const joining = command.split(' ')
          const joined = await cutOff(a(), joining, [controller(), ...parts('agent', 'privileged')])
          await finishes(a(), joining, joined)
          await pair.until('ready', ['a'])
          await expect.poll(answers).toBe(true)
          console.log(`${done} killed: ${patched}; ${left}; ${installed}; ${joined}`)
        }
      },
    )
  })
}

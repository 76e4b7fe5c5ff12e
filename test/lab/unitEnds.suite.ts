import { beforeAll, describe, expect, it } from 'vitest'
import type { Pair } from './pair.ts'
import { bootMs } from './sharedPair.ts'

export const unitEndsSuite = (lend: () => Promise<Pair>): void => {
  describe('the end of a program, with an agent that is not root', () => {
    let pair: Pair
    beforeAll(async () => {
      pair = await lend()
    }, bootMs)

    it('fails the rollout at once, with its status', async () => {
      const pushed = await pair.push(
        'short',
        'service: short\nrun: [sh, -c, "echo lives; sleep 2; exit 3"]\nhealth: { path: /, within: 90s }\nmachines: [a]\n',
      )
      expect(pushed.rollout).toMatchObject({ state: 'reverted' })
      expect(pushed.rollout?.reason).toContain('exited with status 3 before it was ready')
      const { out } = await pair.controller.run(['tandem', 'logs', 'short'])
      const [before = '', ...more] = out.split('ended: exit (3)')
      expect(more.length, out).toBeGreaterThan(0)
      // systemd restarts the program after a second; if ends were only found by polling, it would have run many times
      // before the first report.
      expect(before.match(/ lives$/gm)?.length, out).toBeLessThanOrEqual(2)
    })

    it('a machine whose bus is unreachable reports that it gets no signals, until the bus is back', async () => {
      const problems = async (): Promise<string> => {
        const { machines } = await pair.status()
        return (machines.find(({ name }) => name === 'a')?.problems ?? []).join()
      }
      expect(await problems()).not.toContain("systemd's signals")
      const dbus = ['dbus.socket', 'dbus.service']
      await pair.lab.machine('a').must(['systemctl', 'stop', ...dbus])
      await expect.poll(problems).toContain("cannot receive systemd's signals")
      await pair.lab.machine('a').must(['systemctl', 'start', ...dbus])
      await expect.poll(problems).not.toContain("systemd's signals")
    })
  })
}

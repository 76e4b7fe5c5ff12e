import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Status } from '../../src/api/views.ts'
import type { LabMachine } from './labMachine.ts'
import type { Pair } from './pair.ts'
import { bootMs } from './sharedPair.ts'

const service = 'checked'
const data = `/var/lib/tandem-data/${service}`
/** Prints the facts of its jail once, then judges by files in the data folder. */
const check = [
  'd=$TANDEM_DATA',
  '[ -e $d/jail ] || { id -un; grep -E "^(NoNewPrivs|Seccomp|CapEff)" /proc/self/status; cat /tmp/shared; touch /etc/x && echo open; } >$d/jail 2>&1',
  '[ ! -e $d/sick ] || { echo it is sick; exit 3; }',
  '[ ! -e $d/slow ] || { setsid sleep 7777 & sleep 7778; }',
].join('; ')
const definition = `service: ${service}
run: [sh, -c, "echo of the instance > /tmp/shared; grep -E '^(NoNewPrivs|Seccomp|CapEff)' /proc/self/status > $TANDEM_DATA/own; exec sleep 100000"]
listen: none
machines: [a]
health:
  command: [sh, -c, ${JSON.stringify(check)}]
  every: 200ms
  timeout: 2s
  settle: 100ms
`

export const healthSuite = (lend: () => Promise<Pair>): void => {
  describe('a health command, with an agent that is not root', () => {
    let pair: Pair
    let a: LabMachine
    const instance = async (): Promise<Status['services'][number]['instances'][number] | undefined> =>
      (await pair.status()).services.find((one) => one.service === service)?.instances[0]
    const state = async (): Promise<string> => `${(await instance())?.state}: ${(await instance())?.reason ?? ''}`
    const prober = async (): Promise<string> =>
      (await a.must(['systemctl', 'list-units', '--plain', '--no-legend', `tandem-${service}-*.probe.service`])).trim()
    const proberPid = async (): Promise<number> => {
      const unit = (await prober()).split(' ')[0] ?? ''
      return unit === '' ? 0 : Number(await a.must(['systemctl', 'show', '-P', 'MainPID', unit]))
    }

    beforeAll(async () => {
      pair = await lend()
      a = pair.lab.machine('a')
      await pair.roll(service, definition)
    }, bootMs)
    afterAll(async () => {
      if ((await instance()) !== undefined) await pair.remove(service)
    })
    it('runs as the user of the instance, in the same jail, and shares its /tmp', async () => {
      const jail = await a.must(['cat', `${data}/jail`])
      const own = (await a.must(['cat', `${data}/own`])).trim()
      expect(jail).toContain(`tandem-${service}\n${own}\nof the instance\n`)
      expect(jail).toContain('Read-only file system')
      expect(own).toContain('Seccomp:\t2')
    })

    it('takes the instance out after three misses, with the last line as the reason, and puts it back', async () => {
      await a.must(['touch', `${data}/sick`])
      await expect.poll(state).toBe('failed: missed 3 probes: sh exited with status 3: it is sick')
      await a.must(['rm', `${data}/sick`])
      await expect.poll(state).toMatch(/^ready/)
    })

    it('is killed after its timeout with everything that it started', async () => {
      await a.must(['touch', `${data}/slow`])
      await expect.poll(state).toMatch(/^failed: missed 3 probes: sh did not end within 2000 ms/)
      await a.must(['rm', `${data}/slow`])
      await expect.poll(state).toMatch(/^ready/)
      expect((await a.run(['pgrep', '-fx', 'sleep 777[78]'])).out).toBe('')
    })

    it('goes on after the agent was killed, and nothing is left when the service is removed', async () => {
      const before = await instance()
      const prior = await proberPid()
      expect(prior).toBeGreaterThan(0)
      await a.must(['systemctl', 'kill', '--signal=KILL', 'tandem-agent'])
      await expect.poll(proberPid).not.toBe(prior)
      await expect.poll(proberPid).toBeGreaterThan(0)
      await expect.poll(state).toMatch(/^ready/)
      expect((await instance())?.pid).toBe(before?.pid)
      await pair.remove(service)
      await expect.poll(prober).toBe('')
      const left = 'ls /etc/systemd/system /run/systemd/system /run/tandem-streams 2>/dev/null | grep checked'
      await expect.poll(async () => (await a.run(['sh', '-c', left])).out).toBe('')
    })
  })
}

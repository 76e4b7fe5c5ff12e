import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Status } from '../../src/api/views.ts'
import type { Pair } from './pair.ts'
import { bootMs } from './sharedPair.ts'

const definition = `service: inside
run: [sh, -c, "echo mine >/tmp/of-instance; umask >/tmp/umask; exec sleep 100000"]
listen: none
health: { settle: 100ms }
env: { COLOUR: red }
limits: { memory: 64M }
machines: [a]
`

/** Programs beside an instance have its jail: as systemd and the kernel see it. */
export const accessSuite = (lend: () => Promise<Pair>): void => {
  describe('programs beside an instance', () => {
    let pair: Pair
    let instance = ''
    beforeAll(async () => {
      pair = await lend()
      pair.lab.machine('a').write('/etc/tandem/env/inside.env', 'PASSWORD=kept-secret\n', 0o600)
      await pair.roll('inside', definition)
      const { services } = await pair.status()
      instance = idOf(services)
    }, bootMs)
    afterAll(() => pair?.remove('inside'))

    const idOf = (services: Status['services']): string =>
      services.find(({ service }) => service === 'inside')?.instances[0]?.id ?? ''
    const exec = async (script: string): Promise<string> =>
      pair.controller.must(['tandem', 'exec', '--no-stdin', instance, '--', 'sh', '-c', script])
    const onController = (script: string) => pair.controller.run(['sh', '-c', script])
    const units = async (): Promise<string> =>
      pair.lab.machine('a').must(['sh', '-c', 'ls /etc/systemd/system | grep tandem-inside-access || true'])

    it('have the user, the limits, the filter, the environment, the secrets and the /tmp of the instance', async () => {
      const pid = (await pair.lab.machine('a').must(['sh', '-c', 'pgrep -o -f "^sleep 100000"'])).trim()
      const facts = 'grep -E "^(Uid|Gid|NoNewPrivs|Seccomp|CapBnd|Umask)" /proc/%/status'
      const theirs = await pair.lab.machine('a').must(['sh', '-c', facts.replace('%', pid)])
      expect(await exec(facts.replace('%', 'self'))).toBe(theirs)
      expect(theirs).toMatch(/NoNewPrivs:\s1\nSeccomp:\s2/)
      expect(await exec('echo "$COLOUR $PASSWORD $TANDEM_INSTANCE"; cat /tmp/of-instance')).toBe(
        `red kept-secret ${instance}\nmine\n`,
      )
      // A shell adds its own variables.
      const given = "| sort | grep -vE '^(PWD|OLDPWD|SHLVL|_|TANDEM_ACCESS)='"
      expect(await exec(`env ${given}`)).toBe(await exec(`tr '\\0' '\\n' </proc/${pid}/environ ${given}`))
      expect(await exec('touch /etc/x 2>&1 || ls /root 2>&1 || true')).toMatch(
        /Read-only file system|Permission denied/,
      )
    })

    it('pass three megabytes exactly both ways, and return the exit status', async () => {
      const copy = `head -c 3000000 /dev/urandom >/tmp/x; tandem exec ${instance} -- cat </tmp/x 2>/dev/null | cmp - /tmp/x`
      expect(await onController(copy)).toMatchObject({ code: 0 })
      expect(await onController(`tandem exec --no-stdin ${instance} -- sh -c 'exit 7'`)).toMatchObject({ code: 7 })
      expect(await onController(`tandem exec --no-stdin ${instance} -- sh -c 'kill -KILL $$'`)).toMatchObject({
        code: 137,
      })
    })

    it('are a shell in a terminal that follows its size, and leave nothing behind', async () => {
      const person = `seen() { until grep -q "$1" /tmp/typescript; do sleep 0.1; done; }
        seen '[$#] '; printf 'stty size\\r'; seen '31 97'
        stty -F "$(cat /tmp/terminal)" rows 40 cols 120
        until grep -q '40 120' /tmp/typescript; do printf 'stty size\\r'; sleep 0.5; done
        printf 'echo $COLOUR; exit 9\\r'`
      const shell = 'tty >/tmp/terminal; stty rows 31 cols 97; exec tandem shell inside'
      const { code } = await onController(
        `>/tmp/typescript; (${person}) | timeout 120 script -qefc '${shell}' /tmp/typescript >/dev/null`,
      )
      const shown = await pair.controller.must(['cat', '/tmp/typescript'])
      expect([code, shown]).toEqual([9, expect.stringMatching(/40 120[^]*red/)])
      await expect.poll(units).toBe('')
    })

    it('end when their person is killed, and do not touch the instance', async () => {
      const killed = `tandem exec --no-stdin ${instance} -- sh -c 'echo up; exec sleep 31415' >/tmp/killed &
        until grep -q up /tmp/killed; do sleep 0.1; done; kill -9 $!`
      expect(await onController(killed)).toMatchObject({ code: 0 })
      await expect.poll(units).toBe('')
      const left = await pair.lab.machine('a').run(['pgrep', '-f', '[s]leep 31415'])
      expect(left.code).toBe(1)
      const { services } = await pair.status()
      expect([idOf(services), await exec('cat /tmp/of-instance')]).toEqual([instance, 'mine\n'])
    })
  })
}

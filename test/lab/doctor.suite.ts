import { beforeAll, describe, expect, it } from 'vitest'
import type { Checkup } from '../../src/protocol/checkup.ts'
import type { LabMachine } from './labMachine.ts'
import type { Pair } from './pair.ts'
import { bootMs } from './sharedPair.ts'

const pollMs = { interval: 500 }

interface Told {
  well: boolean
  machines: Checkup[]
}

/** Needs a pair with a virtual address. */
export const doctorSuite = (lend: () => Promise<Pair>): void => {
  describe('tandem doctor on real machines', () => {
    let pair: Pair
    let a: LabMachine
    /**
     * Findings about this computer, independent of the test: it may have no time service, and may limit HAProxy's open
     * files.
     */
    let always: string[]

    beforeAll(async () => {
      pair = await lend()
      a = pair.lab.machine('a')
      await pair.roll('web', 'service: web\nrun: ["node", "web.mjs"]\nhealth: { path: /health }\n')
      always = (await here()).filter(
        (text) => text.startsWith('clock: nothing keeps') || /^(?:haproxy|report): HAProxy may open/.test(text),
      )
    }, bootMs)

    /** Findings on `a`. Checks each time that the exit status matches. */
    async function here(): Promise<string[]> {
      const { code, out, err } = await a.run(['tandem', 'doctor', '--json'])
      if (out === '') throw new Error(`doctor printed nothing: ${err}`)
      const { well, machines } = JSON.parse(out) as Told
      expect([code, machines.map(({ machine }) => machine)]).toEqual([well ? 0 : 1, ['a']])
      return textsOf(machines)
    }
    const textsOf = (machines: Checkup[]): string[] =>
      machines.flatMap(({ findings }) => findings.map(({ area, what }) => `${area}: ${what}`))

    const cluster = async (): Promise<Told & { exit: number }> => pair.tandem<Told>('doctor')

    /** Findings without those that the agent reports, because some of them arrive seconds later. */
    const found = async (): Promise<string[]> =>
      (await here()).filter((text) => !always.includes(text) && !text.startsWith('report: '))
    /** Findings through the controller, which also has the agent's report of HAProxy's open files. */
    const ofComputer = (text: string): boolean => always.includes(text) || text.startsWith('report: HAProxy may open')

    it('finds no problem on a healthy machine and cluster, and makes every check', async () => {
      await expect.poll(here, pollMs).toEqual(always)
      const { exit, well, machines } = await cluster()
      expect(machines.map(({ machine }) => machine)).toEqual(['(controller)', 'a', 'b'])
      expect(textsOf(machines).filter((text) => !ofComputer(text))).toEqual([])
      expect([exit, well]).toEqual(always.length > 0 ? [1, false] : [0, true])
      const areas = [
        'report',
        'clock',
        'agent',
        'versions',
        'ports',
        'certificates',
        'disk',
        'limits',
        'haproxy',
        'keepalived',
      ]
      for (const { checked } of machines.slice(1)) expect(checked).toEqual([...areas, 'units', 'secrets'])
      const shown = await pair.controller.run(['tandem', 'doctor', '--machine', 'a'])
      expect(shown.out).toMatch(/problems? found: 12 checks on a\n$/)
    })

    it.each<[string, string, RegExp[], string]>([
      [
        'HAProxy is stopped, with the guard that would start it again',
        'systemctl stop tandem-guard tandem-haproxy',
        [
          /^ports: nothing listens on port 80, the entry for http/,
          /^ports: nothing listens on port 7481/,
          /^haproxy: HAProxy does not answer/,
          /^units: tandem-guard\.service does not run: inactive/,
          /^units: tandem-haproxy\.service does not run: inactive/,
        ],
        'systemctl start tandem-haproxy tandem-guard',
      ],
      [
        "the guard's unit is gone, and the command that doctor advises writes the unit again",
        'rm /etc/systemd/system/tandem-guard.service',
        [/^units: tandem-guard\.service does not exist/],
        'systemctl restart tandem-agent.service; while ! test -e /etc/systemd/system/tandem-guard.service; do sleep 0.1; done',
      ],
      [
        'its configuration was changed by hand (and the command that doctor advises repairs it)',
        "sed -i 's/^  maxconn .*/  maxconn 7/' /var/lib/tandem/haproxy/haproxy.cfg",
        [/^haproxy: .*haproxy\.cfg was changed by hand/],
        'systemctl restart tandem-agent.service; while grep -q "maxconn 7$" /var/lib/tandem/haproxy/haproxy.cfg; do sleep 0.1; done',
      ],
      [
        "keepalived's configuration was changed by hand to an invalid one",
        'echo nonsense { >>/var/lib/tandem/privileged/address/keepalived.conf',
        [/^keepalived: .*keepalived\.conf was changed by hand/, /^keepalived: .*check of .*keepalived\.conf failed/],
        'systemctl restart tandem-agent.service; while grep -q nonsense /var/lib/tandem/privileged/address/keepalived.conf; do sleep 0.1; done',
      ],
      [
        'HAProxy may open few files',
        'mkdir -p /run/systemd/system/tandem-haproxy.service.d; printf "[Service]\\nLimitNOFILE=4096\\n" >/run/systemd/system/tandem-haproxy.service.d/few.conf; systemctl daemon-reload; systemctl restart tandem-haproxy',
        [/^haproxy: HAProxy may open 4096 files, and needs 42000/],
        'rm -r /run/systemd/system/tandem-haproxy.service.d; systemctl daemon-reload; systemctl restart tandem-haproxy',
      ],
      [
        'there is a stray unit, and a unit of an instance that no desired state wants',
        `cd /etc/systemd/system
       printf '[Service]\\nExecStart=/bin/sleep 1000\\n' >tandem-ghost.service
       sed 's/^Instance=.*/Instance=web-gone/' "$(ls tandem-web-*.service)" >tandem-web-gone.service
       systemctl daemon-reload`,
        [
          /^units: stray unit: tandem-ghost\.service does not belong to Tandem/,
          /^units: stray unit: tandem-web-gone\.service belongs to an instance that no desired state wants/,
        ],
        'rm -f /etc/systemd/system/tandem-ghost.service /etc/systemd/system/tandem-web-gone.service; systemctl daemon-reload',
      ],
      [
        'processes run whose unit file is missing',
        `printf '[Service]\\nExecStart=/bin/sleep 1000\\n' >/etc/systemd/system/tandem-lost.service; systemctl daemon-reload
       systemctl start tandem-lost; rm /etc/systemd/system/tandem-lost.service; systemctl daemon-reload`,
        [/^units: stray processes: tandem-lost\.service is active, but its unit file is gone/],
        'systemctl stop tandem-lost',
      ],
      [
        'a unit would not start after a reboot',
        'systemctl disable -q tandem-agent',
        [/^units: tandem-agent\.service does not start after a reboot/],
        'systemctl enable -q tandem-agent',
      ],
      [
        'a disk is full, of bytes and of inodes',
        `mount -t tmpfs -o size=4m,nr_inodes=64 small /var/log/journal
       for i in $(seq 62); do : >/var/log/journal/$i; done; dd if=/dev/zero of=/var/log/journal/1 bs=1M count=4 2>/dev/null || :`,
        [/^disk: \/var\/log\/journal: 0 MiB of 4 MiB left/, /^disk: \/var\/log\/journal: \d of 64 inodes left/],
        'umount /var/log/journal',
      ],
      [
        'other users can read a secret',
        'chmod 644 /var/lib/tandem/identity/identity.pem',
        [/^secrets: other users can read .*identity\.pem \(mode 0644\)/],
        'chmod 600 /var/lib/tandem/identity/identity.pem',
      ],
      [
        'the ports of instances lie in the ephemeral range',
        'cat /proc/sys/net/ipv4/ip_local_port_range >/run/range; echo 20500 60999 >/proc/sys/net/ipv4/ip_local_port_range',
        [/^limits: the ports of instances, 20000 to 20999, lie in the ephemeral range 20500/],
        'cat /run/range >/proc/sys/net/ipv4/ip_local_port_range',
      ],
      [
        "HAProxy shows a certificate that is not the machine's",
        'cp -p /var/lib/tandem/haproxy/machine.pem /run/kept.pem; echo >>/var/lib/tandem/haproxy/machine.pem; sed -i 1i# /var/lib/tandem/haproxy/machine.pem',
        [/^certificates: .*machine\.pem: the copy differs from this machine's current certificate/],
        'cp -p /run/kept.pem /var/lib/tandem/haproxy/machine.pem',
      ],
    ])('reports it when %s', async (_what, script, said, repair) => {
      try {
        const broken = (): Promise<string> => a.must(['sh', '-ec', script])
        await broken()
        const seen = async (): Promise<string[]> => {
          const all = await found()
          // An agent that was still repairing an earlier fault may have written the file again.
          if (all.length === 0 && said.some(({ source }) => source.includes('changed by hand'))) await broken()
          return all
        }
        // There are no other findings, because earlier faults were repaired.
        await expect.poll(seen, pollMs).toEqual(said.map((one) => expect.stringMatching(one)))
      } finally {
        await a.must(['sh', '-ec', repair])
      }
    })

    it('reports that an agent is down, on its machine and through the controller', async () => {
      await a.must(['systemctl', 'stop', 'tandem-agent'])
      const told = await here()
      expect(told).toEqual(
        expect.arrayContaining([
          expect.stringMatching(/^agent: the agent does not answer: .*ECONNREFUSED/),
          expect.stringMatching(/^units: tandem-agent\.service does not run: inactive/),
        ]),
      )
      await pair.until('lost', ['a'])
      const { exit, machines } = await cluster()
      expect(exit).toBe(1)
      const ofA = textsOf(machines.filter(({ machine }) => machine === 'a'))
      expect(ofA.filter((text) => !ofComputer(text))).toEqual([
        expect.stringMatching(/^report: the last report came \d+ s ago/),
        'agent: not checked: machine a is not connected to the controller',
      ])
      await a.must(['systemctl', 'start', 'tandem-agent'])
      await pair.until('ready', ['a'])
      await expect.poll(here, pollMs).toEqual(always)
    })

    it('names an instance that listens on all addresses, and reports that its port can be reached past HAProxy', async () => {
      const run = `run: ["sh", "-c", "HOST=0.0.0.0 exec node web.mjs"]`
      await pair.roll('open', `service: open\n${run}\nhealth: { path: /health }\nroutes: [{ host: open }]\n`)
      await expect
        .poll(found, pollMs)
        .toEqual([
          expect.stringMatching(
            /^ports: port 20\d\d\d, the port of open-.* is open at 0\.0\.0\.0: clients can reach it past HAProxy/,
          ),
        ])
      expect(await pair.tandem('remove', 'open')).toMatchObject({ exit: 0 })
      await expect.poll(here, pollMs).toEqual(always)
    })
  })
}

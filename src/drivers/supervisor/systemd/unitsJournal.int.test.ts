import { execFileSync, spawnSync } from 'node:child_process'
import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { until } from '../../../lib/testing/until.ts'
import type { InstanceSpec } from '../supervisor.ts'
import { insideMachine, openSystemdLab, whyOutside, type SystemdLab } from './systemdLab.ts'
import { sliceName, unitName } from './unitName.ts'

const unitOf = ({ service, id }: InstanceSpec): string => unitName(service, id)
const sleeps = ['/bin/sh', '-c', 'echo up; exec sleep 1000']

describe.skipIf(!insideMachine)(`units of systemd and the journal${whyOutside}`, () => {
  let lab: SystemdLab
  beforeEach(async () => {
    lab = await openSystemdLab()
  })
  afterEach(() => lab.close())

  it('start and stop although the journal accepts no messages about them', async () => {
    execFileSync('mount', ['--bind', '/bin/false', '/usr/bin/logger'])
    try {
      const [wanted, broken] = [lab.spec(sleeps), lab.spec(['/nowhere/program'])]
      await lab.driver.start(wanted)
      expect(lab.driver.isAlive(wanted.id)).toBe(true)
      await expect(lab.driver.start(broken)).rejects.toMatchObject({ code: 'E_EXEC' })
      await lab.driver.stop(wanted.id)
      expect(lab.exits).toEqual([expect.objectContaining({ id: wanted.id, asked: true })])
    } finally {
      execFileSync('umount', ['/usr/bin/logger'])
    }
  })

  it('print faster than the journal accepts: the loss is reported, and one service cannot write in the name of another', async () => {
    const wanted = lab.spec([
      '/bin/sh',
      '-c',
      'i=0; while [ $i -lt 500 ]; do echo $i; i=$((i+1)); done; sleep 1.5; echo late; exec sleep 1000',
    ])
    const dropIn = `/run/systemd/system/${unitOf(wanted)}.d`
    mkdirSync(dropIn, { recursive: true })
    writeFileSync(join(dropIn, 'few.conf'), '[Service]\nLogRateLimitIntervalSec=1s\nLogRateLimitBurst=100\n')
    execFileSync('systemctl', ['daemon-reload'])
    await lab.driver.start(wanted)
    await lab.printed(wanted, /^late$/)
    const lines = await lab.lines(wanted.service)
    expect(lines.filter(({ stream }) => stream === 'out').length).toBeLessThan(400)
    expect(lines.filter(({ text }) => text.includes('the journal dropped lines here'))).not.toEqual([])
    const forged = `MESSAGE=forged\\nTANDEM_SERVICE=${wanted.service}\\nTANDEM_INSTANCE=${wanted.id}\\nSYSLOG_IDENTIFIER=tandem\\n`
    const evil = lab.spec(['/bin/sh', '-c', `printf '${forged}' | logger --journald && echo sent`], { once: true })
    const sent = lab.printed(evil, /^sent$/)
    await lab.driver.start(evil)
    await sent
    expect((await lab.lines(wanted.service)).filter(({ text }) => text === 'forged')).toEqual([])
    expect(execFileSync('journalctl', ['-o', 'cat', '--grep=^forged'], { encoding: 'utf8' })).toContain('forged')
  })

  it.each([{}, { user: 'root' }])(
    'own the lines they write to the journal, whatever the lines claim; no other unit does: jail %j',
    async (jail) => {
      const wanted = lab.spec(sleeps)
      const [service, instance] = [`TANDEM_SERVICE=${wanted.service}`, `TANDEM_INSTANCE=${wanted.id}`]
      const claims = [service, instance, 'TANDEM_OVER=1', 'SYSLOG_IDENTIFIER=tandem', `UNIT=${unitOf(wanted)}`]
      const message = `forged by ${jail.user ?? 'a user'}`
      const entry = [`MESSAGE=${message}`, ...claims, ''].join('\\n')
      // The process keeps running: journald knows no unit of a process that is gone.
      const sender = `(printf '${entry}'; exec sleep 1000) | socat -u STDIN UNIX-SENDTO:/run/systemd/journal/socket`
      const evil = lab.spec(['/bin/sh', '-c', sender], { jail })
      await lab.driver.start(wanted)
      await lab.driver.start(evil)
      const linesOf = async (of: InstanceSpec): Promise<object[]> =>
        (await lab.lines(of.service)).filter(({ text }) => text === message)
      await until(async () =>
        expect(await linesOf(evil)).toEqual([expect.objectContaining({ instance: evil.id, stream: 'out' })]),
      )
      expect(await linesOf(wanted)).toEqual([])
      const documented = ({ service: name }: InstanceSpec): string =>
        spawnSync('journalctl', ['-q', '-o', 'cat', `_SYSTEMD_SLICE=${sliceName(name)}`], { encoding: 'utf8' }).stdout
      expect(documented(evil).split('\n')).toContain(message)
      expect(documented(wanted).split('\n')).not.toContain(message)
    },
  )

  it('return the requested number of last lines, whatever other entries the journal has among them', async () => {
    const wanted = lab.spec(['/bin/sh', '-c', 'for i in 1 2 3 4 5 6; do echo $i; done; exec sleep 1000'])
    const printed = lab.printed(wanted, /^6$/)
    await lab.driver.start(wanted)
    await printed
    // Entries that name the service but do not belong to it: from an operator, or from another program.
    const forged = `MESSAGE=forged\nTANDEM_SERVICE=${wanted.service}\nTANDEM_INSTANCE=${wanted.id}\n`
    for (let count = 0; count < 6; count++) execFileSync('/usr/bin/logger', ['--journald'], { input: forged })
    execFileSync('journalctl', ['--sync'])
    const { service } = wanted
    const last = (await Array.fromAsync(lab.driver.logs({ service, last: 5 }))).map(({ text }) => text)
    expect(last).toEqual(['2', '3', '4', '5', '6'])
  })
})

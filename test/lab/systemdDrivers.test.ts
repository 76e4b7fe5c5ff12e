import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testInside } from './insideMachine.ts'
import { openLab, type Lab } from './lab.ts'
import { checkoutBind } from './program.ts'
import { whyNoLab } from './requirements.ts'

const why = whyNoLab()
const bootMs = 700_000

describe.skipIf(why)(`drivers on a machine with systemd${why ? ` (skipped: ${why})` : ''}`, () => {
  let lab: Lab
  beforeAll(async () => {
    lab = await openLab({ machines: ['a'], binds: [checkoutBind] })
  }, bootMs)
  afterAll(() => lab?.close())

  it('running instances start after a reboot, without an agent or a controller; the next agent adopts them', async () => {
    const machine = lab.machine('a')
    const module = `${checkoutBind.to}/src/drivers/supervisor/systemd/systemdLab.ts`
    const onMachine = async (then: string): Promise<unknown> => {
      const script = `
        const { openSystemdLab } = await import(${JSON.stringify(module)})
        const lab = await openSystemdLab('/var/lib/tandem-test/reboot')
        const spec = lab.spec(['/bin/sh', '-c', 'exec sleep 1000'], { service: 'kept' })
        ${then}`
      const said = await machine.must([
        'node',
        '--disable-warning=ExperimentalWarning',
        '--input-type=module',
        '-e',
        script,
      ])
      return JSON.parse(said)
    }
    await onMachine(`console.log((await lab.driver.start(spec)).pid); process.exit()`)
    await machine.must(['sync'])
    for (const restart of [() => machine.reboot(), () => machine.kill().then(() => machine.boot())]) {
      await restart()
      const pid = Number(await machine.must(['systemctl', 'show', '-P', 'MainPID', 'tandem-kept-1.service']))
      expect(pid).toBeGreaterThan(0)
      expect(await onMachine(`console.log(lab.driver.claim(spec.id).pid); process.exit()`)).toBe(pid)
    }
    await onMachine(`await lab.close(); console.log(0)`)
    expect((await machine.run(['systemctl', 'cat', 'tandem-kept-1.service'])).code).not.toBe(0)
  })

  it('the systemd supervisor passes the suite of all, and enforces the jail and the limits', async () => {
    const { code, out, err } = await testInside(lab.machine('a'), [
      'src/drivers/supervisor/systemd',
      'src/drivers/firewall',
      'src/privileged/endLeftovers.int.test.ts',
      'src/drivers/host',
    ])
    expect(`${out}\n${err}`).toMatch(/tests: \d\d+ passed, 0 failed, 0 skipped/)
    expect(code).toBe(0)
  })

  it('the address driver keepalived passes the suite of all, and survives its agent', async () => {
    const { code, out, err } = await testInside(lab.machine('a'), [
      'src/drivers/address/keepalived/keepalived.int.test.ts',
      'src/drivers/address/keepalived/synGate.int.test.ts',
    ])
    expect(`${out}\n${err}`).toMatch(/tests: 13 passed, 0 failed, 0 skipped/)
    expect(code).toBe(0)
  })
})

import { existsSync } from 'node:fs'
import { afterEach, describe, expect, it } from 'vitest'
import { exec } from '../../../lib/exec.ts'
import { SynGate } from './synGate.ts'

const inside = process.env['TANDEM_LAB_MACHINE'] === '1' && existsSync('/usr/sbin/nft')
const why = inside
  ? ''
  : ' (skipped: it changes how a machine takes packets; make test-lab runs this on its own machine)'
const tables = async (): Promise<string> => (await exec(['nft', 'list', 'ruleset'])).out

describe.skipIf(!inside)(`the gate${why}`, () => {
  afterEach(() => new SynGate().open())

  it('drops packets that open a connection to an address, and leaves no rule when it is opened', async () => {
    const gate = new SynGate()
    expect(await gate.shut('10.77.0.60')).toBe(true)
    expect(await gate.shut('fd00::60')).toBe(true)
    expect(gate.isOpen).toBe(false)
    const shut = await tables()
    expect(shut).toContain('ip daddr 10.77.0.60')
    expect(shut).toContain('ip6 daddr fd00::60')
    await gate.open()
    expect(gate.isOpen).toBe(true)
    expect(await tables()).not.toContain('tandem_address')
  })

  it('has the last requested state, whatever is under way', async () => {
    const gate = new SynGate()
    const [, opened] = [gate.shut('10.77.0.60'), gate.open()]
    await opened
    expect(await tables()).not.toContain('tandem_address')
    expect(gate.isOpen).toBe(true)
    const [again, shut] = [gate.open(), gate.shut('10.77.0.60')]
    await Promise.all([again, shut])
    expect(gate.isOpen).toBe(false)
    expect(await tables()).toContain('tandem_address')
  })

  it('opens addresses that an earlier gate left shut', async () => {
    await new SynGate().shut('10.77.0.60')
    await new SynGate().open()
    expect(await tables()).not.toContain('tandem_address')
  })
})

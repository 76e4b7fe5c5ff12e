import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { testInside } from './insideMachine.ts'
import { openLab, type Lab } from './lab.ts'
import { checkoutBind } from './program.ts'
import { whyNoLab } from './requirements.ts'

const why = whyNoLab()
const bootMs = 700_000

describe.skipIf(why)(`the address driver keepalived on a machine${why ? ` (skipped: ${why})` : ''}`, () => {
  let lab: Lab
  beforeAll(async () => {
    lab = await openLab({ machines: ['a'], binds: [checkoutBind] })
  }, bootMs)
  afterAll(() => lab?.close())

  it('passes the suite of all address drivers, and survives its agent', { timeout: 300_000 }, async () => {
    const { code, out, err } = await testInside(lab.machine('a'), [
      'src/drivers/address/keepalived/keepalived.int.test.ts',
      'src/drivers/address/keepalived/synGate.int.test.ts',
    ])
    expect(`${out}\n${err}`).toMatch(/tests: 12 passed, 0 failed, 0 skipped/)
    expect(code).toBe(0)
  })
})

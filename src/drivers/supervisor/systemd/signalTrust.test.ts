import { describe, expect, it } from 'vitest'
import { systemClock } from '../../../lib/clock.ts'
import { SignalTrust } from './signalTrust.ts'

const unit = 'tandem-shop-1.service'

describe("systemd's signals", () => {
  it('are not reported missing while they arrive, before or after the change is known', async () => {
    const trust = new SignalTrust(systemClock, 1)
    const since = systemClock.monotonic()
    trust.rang(unit)
    trust.changed(unit, since)
    trust.changed('tandem-unheard-1.service', Number.POSITIVE_INFINITY) // its check comes after the check of `unit`
    await expect.poll(() => trust.problem()).toContain('tandem-unheard-1')
    expect(trust.problem()).not.toContain(unit)
    trust.changed(unit, systemClock.monotonic())
    trust.rang(unit)
    trust.changed('tandem-unheard-2.service', Number.POSITIVE_INFINITY)
    await expect.poll(() => trust.problem()).toContain('tandem-unheard-2')
  })

  it('are reported missing when a unit changed without a signal, until a signal arrives', async () => {
    const trust = new SignalTrust(systemClock, 1)
    trust.rang(unit)
    trust.changed(unit, systemClock.monotonic() + 1)
    await expect.poll(() => trust.problem()).toContain(`sent no signal for a change of ${unit}`)
    trust.rang('tandem-other-1.service')
    expect(trust.problem()).toBeNull()
  })

  it('are reported missing while the bus is unreachable', () => {
    const trust = new SignalTrust(systemClock)
    trust.away('no such file')
    expect(trust.problem()).toContain("cannot receive systemd's signals: no such file")
    trust.connected()
    expect(trust.problem()).toBeNull()
  })
})

import { describe, expect, it } from 'vitest'
import { droppedMessage, readJournalLine } from './journalLine.ts'

const entry = {
  __REALTIME_TIMESTAMP: '1795241116737899',
  MESSAGE: 'hello',
  TANDEM_SERVICE: 'shop',
  TANDEM_INSTANCE: 'shop-1',
  _SYSTEMD_UNIT: 'tandem-shop-1.service',
  _UID: '64885',
}
const read = (changed: object): unknown => readJournalLine(JSON.stringify({ ...entry, ...changed }), 'shop')

describe('a line of the journal', () => {
  it('of an instance is its output', () => {
    const at = new Date(1795241116737).toISOString()
    expect(read({})).toEqual({ at, service: 'shop', instance: 'shop-1', stream: 'out', text: 'hello', isOver: false })
    expect(read({ MESSAGE: [104, 0xff] })).toMatchObject({ text: 'h\uFFFD' })
    expect(read({ MESSAGE: null })).toMatchObject({ text: '' })
  })
  it('of the agent is a line of tandem, and may be the last', () => {
    const own = { _UID: '0', SYSLOG_IDENTIFIER: 'tandem', _SYSTEMD_UNIT: 'tandem-agent.service' }
    expect(read(own)).toMatchObject({ stream: 'tandem', isOver: false })
    expect(read({ ...own, TANDEM_OVER: '1' })).toMatchObject({ isOver: true })
  })
  it('that claims to be of another service is not taken', () => {
    expect(read({ _SYSTEMD_UNIT: 'tandem-evil-1.service' })).toBeNull()
    expect(read({ _SYSTEMD_UNIT: 'tandem-evil-1.service', SYSLOG_IDENTIFIER: 'tandem', TANDEM_OVER: '1' })).toBeNull()
    expect(read({ TANDEM_SERVICE: ['evil', 'shop'] })).toBeNull()
    expect(read({ TANDEM_SERVICE: 'other' })).toBeNull()
  })
  it('says where journald dropped lines', () => {
    const dropped = { MESSAGE_ID: droppedMessage, _SYSTEMD_UNIT: 'systemd-journald.service', TANDEM_SERVICE: undefined }
    const text = 'Suppressed 90 messages from tandem-shop-1.service'
    expect(read({ ...dropped, MESSAGE: text })).toMatchObject({
      stream: 'tandem',
      instance: 'shop-1',
      text: expect.stringContaining('90'),
    })
    expect(read({ ...dropped, MESSAGE: 'Suppressed 90 messages from tandem-other-1.service' })).toBeNull()
    expect(read({ ...dropped, MESSAGE: text, _SYSTEMD_UNIT: 'evil.service' })).toBeNull()
  })
})

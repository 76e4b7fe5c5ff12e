import { describe, expect, it } from 'vitest'
import { droppedMessage, readJournalLine } from './journalLine.ts'

const entry = {
  __REALTIME_TIMESTAMP: '1795241116737899',
  MESSAGE: 'hello',
  TANDEM_SERVICE: 'shop',
  TANDEM_INSTANCE: 'shop-1',
  _SYSTEMD_UNIT: 'tandem-shop-1.service',
  _SYSTEMD_SLICE: 'tandem-shop.slice',
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
  it('of a program that had ended before journald examined it is its output: its slice is not known', () => {
    const late = { _SYSTEMD_SLICE: undefined, _TRANSPORT: 'stdout' }
    expect(read(late)).toMatchObject({ stream: 'out', instance: 'shop-1' })
    expect(read({ ...late, _SYSTEMD_UNIT: 'tandem-evil-1.service' })).toBeNull()
    expect(read({ ...late, TANDEM_SERVICE: 'evil' })).toBeNull()
    // Sent by a program directly, which can claim to be any service.
    expect(read({ ...late, _TRANSPORT: 'journal' })).toBeNull()
  })
  it('of the agent is a `tandem` line, and may be the last', () => {
    const own = {
      ...{ _UID: '0', SYSLOG_IDENTIFIER: 'tandem' },
      ...{ _SYSTEMD_UNIT: 'tandem-agent.service', _SYSTEMD_SLICE: 'system.slice' },
    }
    expect(read(own)).toMatchObject({ stream: 'tandem', isOver: false })
    expect(read({ ...own, TANDEM_OVER: '1' })).toMatchObject({ isOver: true })
  })
  it('that claims to belong to another service is ignored', () => {
    const evil = { _SYSTEMD_UNIT: 'tandem-evil-1.service', _SYSTEMD_SLICE: 'tandem-evil.slice' }
    expect(read(evil)).toBeNull()
    const note = { ...evil, SYSLOG_IDENTIFIER: 'tandem', TANDEM_OVER: '1' }
    expect(read(note)).toBeNull()
    expect(read({ ...note, _UID: '0' })).toBeNull()
    expect(read({ ...evil, TANDEM_SERVICE: ['evil', 'shop'] })).toBeNull()
  })
  it('belongs to the service in whose slice it was written, whatever it claims', () => {
    const claims = { TANDEM_SERVICE: ['shop', 'other'], TANDEM_INSTANCE: ['other-1', 'shop-1'] }
    expect(read(claims)).toMatchObject({ service: 'shop', instance: 'shop-1', stream: 'out' })
    expect(read({ ...claims, SYSLOG_IDENTIFIER: 'tandem', TANDEM_OVER: '1', _UID: '0' })).toMatchObject({
      isOver: false,
    })
  })
  it('reports where journald dropped lines', () => {
    const dropped = { MESSAGE_ID: droppedMessage, _SYSTEMD_UNIT: 'systemd-journald.service', TANDEM_SERVICE: undefined }
    const text = 'Suppressed 90 messages from tandem-shop-1.service'
    expect(read({ ...dropped, MESSAGE: text })).toMatchObject({
      stream: 'tandem',
      instance: 'shop-1',
      text: expect.stringContaining('90'),
    })
    expect(read({ ...dropped, MESSAGE: 'Suppressed 90 messages from tandem-other-1.service' })).toBeNull()
    expect(read({ ...dropped, MESSAGE: text, _SYSTEMD_UNIT: 'evil.service', _SYSTEMD_SLICE: undefined })).toBeNull()
    const longer = { MESSAGE: 'Suppressed 9 messages from tandem-shop-api-1.service' }
    const group = (slice: string) => ({ OBJECT_SYSTEMD_CGROUP: `/tandem.slice/${slice}/tandem-shop-api-1.service` })
    expect(read({ ...dropped, ...longer, ...group('tandem-shop\\x2dapi.slice') })).toBeNull()
    expect(read({ ...dropped, ...longer, ...group('tandem-shop.slice') })).toMatchObject({ instance: 'shop-api-1' })
  })
})

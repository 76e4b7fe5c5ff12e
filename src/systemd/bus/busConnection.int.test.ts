import { execFileSync, spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { until } from '../../lib/testing/until.ts'
import { connectBus, type BusConnection } from './busConnection.ts'
import { dictionary, type BusMessage } from './busMessage.ts'

const [daemon, busctl] = ['/usr/bin/dbus-daemon', '/usr/bin/busctl']
const isHere = existsSync(daemon) && existsSync(busctl)
const bus = { destination: 'org.freedesktop.DBus', path: '/org/freedesktop/DBus', interface: 'org.freedesktop.DBus' }

describe.skipIf(!isHere)(`a connection to a bus${isHere ? '' : ` (skipped: no ${daemon} or ${busctl} here)`}`, () => {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-bus-'))
  const socket = join(folder, 'socket')
  let running: ReturnType<typeof spawn>
  let ended: Promise<unknown>
  let connection: BusConnection
  const heard: BusMessage[] = []
  const leaving = new AbortController()

  beforeAll(async () => {
    const policy = '<allow send_destination="*" eavesdrop="true"/><allow eavesdrop="true"/><allow own="*"/>'
    writeFileSync(
      join(folder, 'bus.conf'),
      `<busconfig><type>session</type><listen>unix:path=${socket}</listen><auth>EXTERNAL</auth><policy context="default">${policy}</policy></busconfig>`,
    )
    running = spawn(daemon, [`--config-file=${join(folder, 'bus.conf')}`, '--nofork'], { stdio: 'ignore' })
    ended = once(running, 'exit')
    await until(() => expect(existsSync(socket)).toBe(true))
    connection = await connectBus(socket, (message) => heard.push(message), leaving.signal)
    await connection.call({ ...bus, member: 'Hello', args: [] })
  })
  afterAll(async () => {
    running.kill()
    await ended
    rmSync(folder, { recursive: true })
  })

  it('sends a call and gets a reply or an error', async () => {
    const { body } = await connection.call({ ...bus, member: 'GetNameOwner', args: ['org.freedesktop.DBus'] })
    expect(body).toEqual(['org.freedesktop.DBus'])
    await expect(connection.call({ ...bus, member: 'GetNameOwner', args: ['no.such'] })).rejects.toThrow('no.such')
  })

  it('receives a signal with values of every type, many in a row', async () => {
    await connection.call({ ...bus, member: 'AddMatch', args: ["type='signal',path='/x/y'"] })
    const values = '7 ExecMainPID u 77 Status i -3 Result s exit-code Big t 99999999999 Less x -5 Half d 0.5'
    const listed = 'Commands a(sasbnqo) 1 /bin/p 2 p q true -2 3 /o'
    for (let times = 0; times < 20; times++) {
      const signal = ['/x/y', 'org.x.Y', 'PropertiesChanged', 'sa{sv}as', 'org.x.Service']
      execFileSync(busctl, [
        ...[`--address=unix:path=${socket}`, '--', 'emit', ...signal],
        ...[...values.split(' '), ...listed.split(' '), '1', 'gone'],
      ])
    }
    await expect.poll(() => heard.filter(({ member }) => member === 'PropertiesChanged').length).toBe(20)
    const last = heard.at(-1)
    expect(last).toMatchObject({ path: '/x/y', interface: 'org.x.Y', sender: expect.stringMatching(/^:/) })
    expect([last?.body[0], last?.body[2]]).toEqual(['org.x.Service', ['gone']])
    expect(Object.fromEntries(dictionary(last?.body[1]))).toEqual({
      ...{ ExecMainPID: 77, Status: -3, Result: 'exit-code', Big: 99_999_999_999n, Less: -5n, Half: 0.5 },
      Commands: [['/bin/p', ['p', 'q'], true, -2, 3, '/o']],
    })
  })

  it('ends when it is aborted; a connection that the bus closes reports that', async () => {
    const other = await connectBus(socket, () => {}, new AbortController().signal)
    leaving.abort()
    await connection.over
    running.kill()
    await expect(other.over).rejects.toThrow('closed the connection')
  })
})

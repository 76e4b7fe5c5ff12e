import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Event, RecordedEvent } from '../events/event.ts'
import { openDatabase } from './database.ts'
import { SqliteEventLog } from './sqliteEventLog.ts'
import { Tokens } from './tokens.ts'

const event = (reason: string): Event => ({ type: 'ClockRestarted', data: { reason } })
let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-store-'))
  path = join(folder, 'controller.db')
})
afterEach(() => rmSync(folder, { recursive: true }))

function withLog<T>(use: (log: SqliteEventLog) => T): T {
  const log = new SqliteEventLog(openDatabase(path))
  try {
    return use(log)
  } finally {
    log.close()
  }
}

describe('the event log', () => {
  it('appends at an expected position and reads back after a restart', () => {
    withLog((log) => {
      log.append(0, [event('a'), event('b')], 1000)
      expect(log.append(2, [event('c')], 2000)).toEqual([
        { type: 'ClockRestarted', data: { reason: 'c' }, position: 3, at: '1970-01-01T00:00:02.000Z' },
      ])
    })
    withLog((log) => {
      expect(log.position()).toBe(3)
      expect(log.read(1, 10).map(({ position }) => position)).toEqual([2, 3])
    })
  })

  it('refuses another expected position and then appends nothing', () => {
    withLog((log) => {
      log.append(0, [event('a')], 0)
      expect(() => log.append(0, [event('b')], 0)).toThrow(expect.objectContaining({ code: 'E_LOG_MOVED' }))
      expect(log.read(0, 10)).toHaveLength(1)
    })
  })

  it('leaves a gap only on request, and never goes back', () => {
    withLog((log) => {
      log.append(0, [event('a')], 0)
      expect(log.append(1, [event('b')], 0, 500)[0]?.position).toBe(500)
      expect(log.position()).toBe(500)
      expect(() => log.append(500, [event('c')], 0, 400)).toThrow('positions only grow')
    })
  })

  it('sends a subscriber every event after any position, then every new event, once each', () => {
    withLog((log) => {
      log.append(
        0,
        Array.from({ length: 1200 }, (_, index) => event(String(index))),
        0,
      )
      const seen: number[] = []
      const subscription = log.subscribe(5, ({ position }: RecordedEvent) => seen.push(position))
      log.append(1200, [event('new')], 0)
      subscription.close()
      log.append(1201, [event('unheard')], 0)
      expect(seen).toEqual(Array.from({ length: 1196 }, (_, index) => index + 6))
    })
  })

  it('refuses a log with a newer schema and leaves it unchanged', () => {
    withLog((log) => log.append(0, [event('a')], 0))
    const database = new DatabaseSync(path)
    database.exec('PRAGMA user_version=99')
    database.close()
    expect(() => openDatabase(path)).toThrow(expect.objectContaining({ code: 'E_LOG_NEWER' }))
  })

  it('refuses an unknown event type or version', () => {
    withLog((log) => log.append(0, [event('a')], 0))
    const database = openDatabase(path)
    database.exec(`INSERT INTO events VALUES (2, '', 'FutureThing', 1, '{}')`)
    const log = new SqliteEventLog(database)
    expect(() => log.read(0, 10)).toThrow(expect.objectContaining({ code: 'E_LOG_NEWER' }))
    database.exec(`UPDATE events SET type = 'ClockRestarted', version = 2 WHERE position = 2`)
    expect(() => log.read(0, 10)).toThrow(expect.objectContaining({ code: 'E_LOG_NEWER' }))
    log.close()
  })

  it('keeps a second controller out', () => {
    withLog(() => {
      expect(() => openDatabase(path)).toThrow(expect.objectContaining({ code: 'E_LOG_LOCKED' }))
    })
  })

  it('keeps every acknowledged event when its process is killed at a random moment', async () => {
    const program = `
      import { openDatabase } from '${import.meta.dirname}/database.ts'
      import { SqliteEventLog } from '${import.meta.dirname}/sqliteEventLog.ts'
      const log = new SqliteEventLog(openDatabase(process.argv[1]))
      for (;;) {
        const last = log.append(log.position(), [{ type: 'ClockRestarted', data: { reason: 'x' } }], 0)
        process.stdout.write(last[0].position + '\\n')
      }`
    let acknowledged = 0
    for (let round = 0; round < 5; round++) {
      const child = spawn(process.execPath, ['--input-type=module', '-e', program, path])
      const wanted = acknowledged + 20 + Math.floor(Math.random() * 200)
      for await (const line of createInterface({ input: child.stdout })) {
        acknowledged = Number(line)
        if (acknowledged >= wanted) child.kill('SIGKILL')
      }
      if (child.exitCode === null && child.signalCode === null) await once(child, 'exit')
      withLog((log) => {
        expect(log.position()).toBeGreaterThanOrEqual(acknowledged)
        expect(log.read(0, 10_000).map(({ position }) => position)).toEqual(
          Array.from({ length: log.position() }, (_, index) => index + 1),
        )
        acknowledged = log.position()
      })
    }
  })
})

describe('tokens', () => {
  it('are stored only as hashes, and deleted when revoked', () => {
    const database = openDatabase(path)
    const tokens = new Tokens(database)
    const token = tokens.create({ role: 'agent', machine: 'a', name: 'agent a' }, 0)
    expect(tokens.identify(token)).toEqual({ role: 'agent', machine: 'a', name: 'agent a' })
    expect(tokens.identify(`${token}x`)).toBeNull()
    expect(JSON.stringify(database.prepare('SELECT * FROM tokens').all())).not.toContain(token)
    expect(tokens.revoke(tokens.list()[0]?.id ?? '')).toBe(1)
    expect(tokens.identify(token)).toBeNull()
    database.close()
  })
})

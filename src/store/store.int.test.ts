import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import { createInterface } from 'node:readline'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import type { Event } from '../events/event.ts'
import { openDatabase } from './database.ts'
import { SqliteEventLog } from './sqliteEventLog.ts'
import { SqliteTokenStore } from './sqliteTokenStore.ts'
import { Tokens } from './tokens.ts'

const event = (reason: string): Event => ({ type: 'ClockRestarted', data: { reason } })
let folder: string
let path: string

beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-store-'))
  path = join(folder, 'controller.db')
})
afterEach(() => rmSync(folder, { recursive: true }))

async function withLog<T>(use: (log: SqliteEventLog) => Promise<T>): Promise<T> {
  const log = new SqliteEventLog(openDatabase(path))
  try {
    return await use(log)
  } finally {
    await log.close()
  }
}

describe('the event log in SQLite', () => {
  it('refuses a log with a newer schema and leaves it unchanged', async () => {
    await withLog((log) => log.append(0, [event('a')], 0))
    const database = new DatabaseSync(path)
    database.exec('PRAGMA user_version=99')
    database.close()
    expect(() => openDatabase(path)).toThrow(expect.objectContaining({ code: 'E_LOG_NEWER' }))
  })

  it('refuses an unknown version of an event', async () => {
    await withLog((log) => log.append(0, [event('a')], 0))
    const database = openDatabase(path)
    database.exec(`INSERT INTO events VALUES (2, '', 'ClockRestarted', 2, '{}')`)
    const log = new SqliteEventLog(database)
    await expect(log.read(0, 10)).rejects.toMatchObject({ code: 'E_LOG_NEWER' })
    await log.close()
  })

  it('says of an event from a version that recorded no origins that its origin is not recorded', async () => {
    const database = openDatabase(path)
    const log = new SqliteEventLog(database)
    const older = `INSERT INTO events (position, at, type, version, data) VALUES (?, '', 'ClockRestarted', 1, '{}')`
    database.prepare(older).run(1)
    expect((await log.read(0, 10)).map(({ by, cause }) => [by, cause])).toEqual([[null, null]])
    expect(await log.search({ after: 0, before: 10 }, { by: 'ci' }, 10)).toEqual([])
    await log.append(1, [{ ...event('a'), by: 'ci', cause: 1 }], 0)
    // And of one that was recorded after a downgrade.
    database.prepare(older).run(3)
    expect((await log.read(0, 10)).map(({ by, cause }) => [by, cause])).toEqual([
      ...[
        [null, null],
        ['ci', 1],
        [null, null],
      ],
    ])
    await log.close()
  })

  it('keeps a second controller out', async () => {
    await withLog(async () => {
      expect(() => openDatabase(path)).toThrow(expect.objectContaining({ code: 'E_LOG_LOCKED' }))
    })
  })

  it('keeps every acknowledged event when its process is killed at a random moment', async () => {
    const program = `
      import { openDatabase } from '${import.meta.dirname}/database.ts'
      import { SqliteEventLog } from '${import.meta.dirname}/sqliteEventLog.ts'
      const log = new SqliteEventLog(openDatabase(process.argv[1]))
      for (;;) {
        const last = await log.append(await log.position(), [{ type: 'ClockRestarted', data: { reason: 'x' } }], 0)
        process.stdout.write(last[0].position + '\\n')
        await new Promise((resolve) => setImmediate(resolve))
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
      await withLog(async (log) => {
        const position = await log.position()
        expect(position).toBeGreaterThanOrEqual(acknowledged)
        expect((await log.read(0, 10_000)).map((one) => one.position)).toEqual(
          Array.from({ length: position }, (_, index) => index + 1),
        )
        acknowledged = position
      })
    }
  })
})

describe('tokens', () => {
  it('are stored only as hashes, known after a restart, and deleted when revoked', async () => {
    const database = openDatabase(path)
    const tokens = await Tokens.open(new SqliteTokenStore(database))
    const token = await tokens.create({ role: 'agent', machine: 'a', name: 'agent a' }, 0)
    expect(tokens.identify(token)).toEqual({ role: 'agent', machine: 'a', name: 'agent a' })
    expect(tokens.identify(`${token}x`)).toBeNull()
    expect(JSON.stringify(database.prepare('SELECT * FROM tokens').all())).not.toContain(token)
    const reopened = async (): Promise<Tokens> => Tokens.open(new SqliteTokenStore(database))
    expect((await reopened()).identify(token)?.machine).toBe('a')
    expect(await tokens.revoke(tokens.list()[0]?.id.toUpperCase() ?? '')).toBe(1)
    expect(tokens.identify(token)).toBeNull()
    expect((await reopened()).identify(token)).toBeNull()
    database.close()
  })

  it('are admitted again without a write, and keep their time of creation', async () => {
    const database = openDatabase(path)
    const [holder, token] = [{ role: 'agent', machine: 'a', name: 'agent a' } as const, 'tdm_made_elsewhere']
    await (await Tokens.open(new SqliteTokenStore(database))).admit(token, holder, 0)
    database.exec('PRAGMA query_only=1')
    const reopened = await Tokens.open(new SqliteTokenStore(database))
    await reopened.admit(token, holder, 1)
    expect(reopened.list()).toMatchObject([{ ...holder, createdAt: new Date(0).toISOString() }])
    await expect(reopened.admit(token, { ...holder, machine: 'b' }, 1)).rejects.toMatchObject({
      code: 'E_LOG_UNWRITABLE',
    })
    expect(reopened.identify(token)).toEqual(holder)
    database.close()
  })

  it('are not changed when the disk is full', async () => {
    const database = openDatabase(path)
    const tokens = await Tokens.open(new SqliteTokenStore(database))
    const token = await tokens.create({ role: 'reader', machine: null, name: 'r' }, 0)
    database.exec('PRAGMA query_only=1')
    const refused = { code: 'E_LOG_UNWRITABLE' }
    await expect(tokens.create({ role: 'reader', machine: null, name: 'x' }, 0)).rejects.toMatchObject(refused)
    await expect(tokens.revoke('')).rejects.toMatchObject(refused)
    expect(tokens.list()).toHaveLength(1)
    expect(tokens.identify(token)?.name).toBe('r')
    database.close()
  })
})

import { mkdtempSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { openDatabase } from './database.ts'
import { SqliteEventLog } from './sqliteEventLog.ts'
import { SqliteJoinStore } from './sqliteJoinStore.ts'
import { SqliteSecretStore } from './sqliteSecretStore.ts'
import { SqliteSnapshotStore } from './sqliteSnapshotStore.ts'
import { SqliteSessionStore } from './sqliteSessionStore.ts'
import { SqliteTokenStore } from './sqliteTokenStore.ts'
import { eventLogConformance } from './testing/eventLogConformance.ts'
import { joinStoreConformance } from './testing/joinStoreConformance.ts'
import { MemoryEventLog, type Disk } from './testing/memoryEventLog.ts'
import { MemoryJoinStore } from './testing/memoryJoinStore.ts'
import { MemorySecretStore } from './testing/memorySecretStore.ts'
import { MemorySessionStore } from './testing/memorySessionStore.ts'
import { MemorySnapshotStore } from './testing/memorySnapshotStore.ts'
import { MemoryTokenStore } from './testing/memoryTokenStore.ts'
import { secretStoreConformance } from './testing/secretStoreConformance.ts'
import { sessionStoreConformance } from './testing/sessionStoreConformance.ts'
import { snapshotStoreConformance } from './testing/snapshotStoreConformance.ts'
import { tokenStoreConformance } from './testing/tokenStoreConformance.ts'

function database() {
  const folder = mkdtempSync(join(tmpdir(), 'tandem-conformance-'))
  const path = join(folder, 'controller.db')
  const opened = openDatabase(path)
  const dispose = async (): Promise<void> => {
    if (opened.isOpen) opened.close()
    rmSync(folder, { recursive: true })
  }
  return { opened, path, dispose }
}

eventLogConformance('sqlite', async () => {
  const { opened, path, dispose } = database()
  const pages = (): number => Number(opened.prepare('PRAGMA page_count').get()?.['page_count'])
  return {
    log: new SqliteEventLog(opened),
    again: async () => new SqliteEventLog(openDatabase(path)),
    fill: (isFull) => opened.exec(`PRAGMA max_page_count=${isFull ? pages() : 1_000_000}`),
    dispose,
  }
})
eventLogConformance('memory', async () => {
  const disk: Disk = { rows: [] }
  const log = new MemoryEventLog(disk)
  return {
    log,
    again: async () => new MemoryEventLog(disk),
    fill: (isFull) => void (log.isFull = isFull),
    dispose: async () => {},
  }
})

tokenStoreConformance('sqlite', async () => {
  const { opened, dispose } = database()
  return { store: new SqliteTokenStore(opened), dispose }
})
tokenStoreConformance('memory', async () => ({ store: new MemoryTokenStore(), dispose: async () => {} }))

sessionStoreConformance('sqlite', async () => {
  const { opened, path, dispose } = database()
  const again = async (): Promise<SqliteSessionStore> => {
    opened.close()
    return new SqliteSessionStore(openDatabase(path))
  }
  return { store: new SqliteSessionStore(opened), again, dispose }
})
sessionStoreConformance('memory', async () => {
  const store = new MemorySessionStore()
  return { store, again: async () => store, dispose: async () => {} }
})

joinStoreConformance('sqlite', async () => {
  const { opened, dispose } = database()
  return { store: new SqliteJoinStore(opened), dispose }
})
joinStoreConformance('memory', async () => ({ store: new MemoryJoinStore(), dispose: async () => {} }))

snapshotStoreConformance('sqlite', async () => {
  const { opened, dispose } = database()
  return { store: new SqliteSnapshotStore(opened), dispose }
})
snapshotStoreConformance('memory', async () => ({ store: new MemorySnapshotStore(), dispose: async () => {} }))

secretStoreConformance('sqlite', async () => {
  const { opened, path, dispose } = database()
  const folder = dirname(path)
  const disk = (): Buffer => Buffer.concat(readdirSync(folder).map((name) => readFileSync(join(folder, name))))
  return { store: new SqliteSecretStore(opened), disk, dispose }
})
secretStoreConformance('memory', async () => {
  const store = new MemorySecretStore()
  const disk = (): Buffer => Buffer.concat(store.versions.flatMap(({ wrapped, content }) => [wrapped, content]))
  return { store, disk, dispose: async () => {} }
})

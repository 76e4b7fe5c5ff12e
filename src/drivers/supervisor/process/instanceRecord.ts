import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { StopSignal } from '../../../definitions/definition.ts'
import { openSpareFiles } from './spareFiles.ts'

/** What the next agent must know to end what this one started, should this one be killed. */
export interface InstanceRecord {
  id: string
  service: string
  /** Also the number of its process group and of its session. */
  pid: number
  started: string
  bootId: string
  /** `NAME=value` that its environment carries and no other instance's does; see `markersOf`. */
  markers: string[]
  cgroups: string[]
  stop: { signal: StopSignal; withinMs: number }
}

/**
 * The records of the instances that may be running: a folder with one small JSON file for each. A record that is removed keeps
 * its place on the disk for the next one, so that an instance that ended is started again although the disk is full.
 */
export interface RecordShelf {
  /** Resolves when the record is on the disk. */
  write(record: InstanceRecord): Promise<void>
  remove(id: string): void
  /** A record that cannot be read is given with pid 0 and the marker that its name tells. */
  all(): InstanceRecord[]
}

/** Together these tell an instance from every other one, also from those of another data folder on the same laptop. */
const markerNames = ['TANDEM_INSTANCE', 'TANDEM_MACHINE', 'TANDEM_DATA']

export function markersOf(env: Record<string, string>): string[] {
  if (env['TANDEM_INSTANCE'] === undefined) return []
  return markerNames.flatMap((name) => (env[name] === undefined ? [] : [`${name}=${env[name]}`]))
}

export function openRecordShelf(folder: string): RecordShelf {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const spares = openSpareFiles(join(dirname(folder), 'spare'))
  return {
    write: async (record) => {
      const file = join(folder, `${record.id}.json`)
      const isSpare = spares.take(`${file}.new`)
      try {
        await writeDurably(`${file}.new`, JSON.stringify(record), isSpare ? 'r+' : 'w')
        renameSync(`${file}.new`, file)
      } catch (error) {
        spares.give(`${file}.new`)
        throw error
      }
      syncFolder(folder)
    },
    remove: (id) => spares.give(join(folder, `${id}.json`)),
    all: () => {
      const names = readdirSync(folder)
      for (const name of names) if (name.endsWith('.new')) spares.give(join(folder, name))
      return names.filter((name) => name.endsWith('.json')).map((name) => read(folder, name))
    },
  }
}

/** A whole block at least: whatever is written here next fits. */
const blockBytes = 4_096

/** `r+`: over what is there. Blanks at the end mean nothing in JSON. */
async function writeDurably(file: string, text: string, flags: 'r+' | 'w'): Promise<void> {
  const blocks = Math.ceil(Buffer.byteLength(text) / blockBytes)
  const handle = await open(file, flags, 0o600)
  try {
    const bytes = Buffer.alloc(blocks * blockBytes, ' ')
    bytes.write(text)
    for (let at = 0; at < bytes.length;) at += (await handle.write(bytes, at, bytes.length - at, at)).bytesWritten
    await handle.truncate(bytes.length)
    await handle.sync()
  } finally {
    await handle.close()
  }
}

/** A rename is only durable once its folder is. */
function syncFolder(folder: string): void {
  const fd = openSync(folder, 'r')
  try {
    fsyncSync(fd)
  } finally {
    closeSync(fd)
  }
}

function read(folder: string, name: string): InstanceRecord {
  const id = name.slice(0, -'.json'.length)
  try {
    return JSON.parse(readFileSync(join(folder, name), 'utf8')) as InstanceRecord // ours, renamed into place whole
  } catch {
    // Only a disk that lied about fsync gets here. The processes are still found by what they carry.
    const markers = [`TANDEM_INSTANCE=${id}`]
    const stop = { signal: 'SIGTERM' as const, withinMs: 0 }
    return { id, service: '', pid: 0, started: '0', bootId: '', markers, cgroups: [], stop }
  }
}

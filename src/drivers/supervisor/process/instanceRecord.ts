import { closeSync, fsyncSync, mkdirSync, openSync, readdirSync, readFileSync, renameSync } from 'node:fs'
import { open } from 'node:fs/promises'
import { dirname, join } from 'node:path'
import type { StopSignal } from '../../../definitions/definition.ts'
import { openSpareFiles } from './spareFiles.ts'

/** Data that the next agent needs to stop the processes of this agent if this agent is killed. */
export interface InstanceRecord {
  id: string
  service: string
  /** Also the number of the process group and of the session. */
  pid: number
  started: string
  bootId: string
  /** `NAME=value` pairs in the environment of this instance and of no other instance; see `markersOf`. */
  markers: string[]
  cgroups: string[]
  stop: { signal: StopSignal; withinMs: number }
}

/**
 * The records of the instances that may be running: a folder with one small JSON file for each. A removed record keeps
 * its disk space for the next record, so that an instance that ended can be restarted even if the disk is full.
 */
export interface RecordShelf {
  /** Resolves when the record is on the disk. */
  write(record: InstanceRecord): Promise<void>
  remove(id: string): void
  /**
   * All records. A record that cannot be read is returned with pid 0 and the marker that follows from its file name.
   */
  all(): InstanceRecord[]
}

/**
 * Together these distinguish an instance from every other one, also from those of another data folder on the same
 * laptop.
 */
const markerNames = ['TANDEM_INSTANCE', 'TANDEM_MACHINE', 'TANDEM_DATA']
/** A program beside an instance has the environment of the instance: only this variable tells it apart. */
const accessMarker = 'TANDEM_ACCESS'

export function markersOf(env: Record<string, string>): string[] {
  if (env['TANDEM_INSTANCE'] === undefined) return []
  return [...markerNames, accessMarker].flatMap((name) => (env[name] === undefined ? [] : [`${name}=${env[name]}`]))
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

/** Size of a whole block, so that the next record written to the same file fits. */
const blockBytes = 4_096

/** `r+` overwrites the file. Blanks at the end have no meaning in JSON. */
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

/** A rename is durable only when its folder is synced. */
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
    return JSON.parse(readFileSync(join(folder, name), 'utf8')) as InstanceRecord // written whole by this program
  } catch {
    // This happens only if the disk reported a false fsync. The markers in the environment still identify the
    // processes.
    const markers = [`TANDEM_INSTANCE=${id}`]
    const stop = { signal: 'SIGTERM' as const, withinMs: 0 }
    return { id, service: '', pid: 0, started: '0', bootId: '', markers, cgroups: [], stop }
  }
}

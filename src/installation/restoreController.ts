import { createReadStream, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmdirSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { Readable } from 'node:stream'
import { pipeline } from 'node:stream/promises'
import { setTimeout as pause } from 'node:timers/promises'
import { unpackTar } from 'modern-tar/fs'
import { z } from 'zod'
import { readJson, writeJsonDurably } from '../lib/durableJson.ts'
import { randomId } from '../lib/ids.ts'
import { OperatorError } from '../lib/operatorError.ts'
import { removeTree } from '../releases/removeTree.ts'
import { decryptedWith } from '../sealing/ageFile.ts'

interface Restoring {
  /** A backup that `tandem secrets backup` wrote. */
  file: string
  /** File of the secret key (age-keygen(1)). */
  identity: string
  /** Data folder of the new controller; missing or empty. */
  data: string
}

/** How long a command waits for the machines, which report within seconds, and between two looks. */
const [adoptionMs, lookMs] = [60_000, 200]

/**
 * For the controller, which recovers its log with this id once every machine has reported, and then removes the note
 * (controller/restored.ts).
 */
const noteIn = (data: string): string => join(data, 'restored.json')

const runSchema = z.object({ cluster: z.string(), words: z.array(z.string()) })

/**
 * Makes the data folder of a controller from a backup, complete or not at all. Returns the cluster, and the words of the
 * command that ran the controller, with this data folder.
 */
export async function restoreController({
  file,
  identity,
  data,
}: Restoring): Promise<{ cluster: string; words: string[] }> {
  if (existsSync(data) && readdirSync(data).length > 0) throw isInUse(data)
  const staging = `${resolve(data)}.restored`
  await removeTree(staging)
  mkdirSync(staging, { recursive: true, mode: 0o700 })
  try {
    const sealed = Readable.toWeb(createReadStream(file)) as ReadableStream<Uint8Array>
    const archive = await decryptedWith(readFileSync(identity, 'utf8'), sealed)
    await pipeline(Readable.fromWeb(archive as never), unpackTar(staging, { dmode: 0o700, fmode: 0o600 })).catch(
      (cause: unknown) => {
        throw damaged(file, cause)
      },
    )
    const { cluster, words } = runSchema.parse(readJson(join(staging, 'run.json')))
    if (!existsSync(join(staging, 'controller.db'))) throw damaged(file, null)
    writeJsonDurably(noteIn(staging), { id: randomId() })
    if (existsSync(data)) rmdirSync(data)
    renameSync(staging, data)
    return { cluster, words: withData(words, data) }
  } catch (error) {
    await removeTree(staging)
    throw error
  }
}

/** Waits, for a limited time, until a restored controller has adopted what the machines run; returns whether it has. */
export async function awaitAdoption({ data, signal }: { data: string; signal: AbortSignal }): Promise<boolean> {
  for (const end = performance.now() + adoptionMs; performance.now() < end && !signal.aborted;) {
    if (!existsSync(noteIn(data))) return true
    await pause(lookMs)
  }
  return false
}

const withData = (words: readonly string[], data: string): string[] => {
  const at = words.indexOf('--data')
  return at < 0 ? [...words, '--data', data] : [...words.slice(0, at + 1), data, ...words.slice(at + 2)]
}

const isInUse = (data: string): OperatorError =>
  new OperatorError('E_USAGE', `${data} is not empty`, {
    subject: data,
    next: 'stop the controller and move its folder aside, or restore to another one: --data DIR',
  })

const damaged = (file: string, cause: unknown): OperatorError =>
  new OperatorError('E_BACKUP', `${file} is damaged or was cut off; nothing was restored`, {
    subject: file,
    next: 'use another backup',
    cause,
  })

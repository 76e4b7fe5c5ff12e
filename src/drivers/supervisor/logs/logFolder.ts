import { readdirSync, statSync } from 'node:fs'
import { rm, rmdir } from 'node:fs/promises'
import { join } from 'node:path'
import { setImmediate } from 'node:timers/promises'
import type { SupervisorLimits } from '../limits.ts'
import { olderFile } from './rotatingFile.ts'

/** The kept output of one instance: its files, and when they last grew. */
export interface KeptLog {
  service: string
  instance: string
  file: string
  bytes: number
  olderBytes: number
  modifiedMs: number
}

export const logFile = (folder: string, service: string, instance: string): string =>
  join(folder, service, `${instance}.log`)

/** The kept output of one service: some dozens of files, listed in one event-loop turn. */
export function listLogs(folder: string, service: string): KeptLog[] {
  const instances = new Set(names(join(folder, service)).map((name) => name.replace(/\.log(\.1)?$/, '')))
  return [...instances].map((instance) => {
    const file = logFile(folder, service, instance)
    const current = statSync(file, { throwIfNoEntry: false })
    const older = statSync(olderFile(file), { throwIfNoEntry: false })
    const modifiedMs = Math.max(current?.mtimeMs ?? 0, older?.mtimeMs ?? 0)
    return { service, instance, file, bytes: current?.size ?? 0, olderBytes: older?.size ?? 0, modifiedMs }
  })
}

async function listAllLogs(folder: string): Promise<KeptLog[]> {
  const kept: KeptLog[] = []
  for (const service of names(folder)) {
    kept.push(...listLogs(folder, service))
    await setImmediate()
  }
  return kept
}

/**
 * Keeps the folder within its limits: removes the oldest logs of instances that are gone first, then the older files of
 * running instances.
 */
export async function sweepLogs(
  folder: string,
  limits: SupervisorLimits,
  isLive: (log: KeptLog) => boolean,
): Promise<void> {
  const kept = await listAllLogs(folder)
  const gone = kept.filter((log) => !isLive(log)).sort((a, b) => b.modifiedMs - a.modifiedMs)
  const live = kept.filter(isLive).sort((a, b) => a.olderBytes - b.olderBytes)
  let total = kept.reduce((sum, log) => sum + log.bytes + log.olderBytes, 0)
  const ofService = new Map<string, number>()
  for (const log of gone) ofService.set(log.service, (ofService.get(log.service) ?? 0) + 1)
  for (const log of gone.reverse()) {
    const count = ofService.get(log.service) ?? 0
    if (total <= limits.logTotalBytes && count <= limits.goneInstances) continue
    await removeLog(folder, log)
    ofService.set(log.service, count - 1)
    total -= log.bytes + log.olderBytes
  }
  for (const log of live.reverse()) {
    if (total <= limits.logTotalBytes) break
    await rm(olderFile(log.file), { force: true })
    total -= log.olderBytes
  }
}

export async function removeLog(folder: string, log: KeptLog): Promise<void> {
  await rm(log.file, { force: true })
  await rm(olderFile(log.file), { force: true })
  try {
    await rmdir(join(folder, log.service))
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code // the error type of fs
    if (code !== 'ENOTEMPTY' && code !== 'EEXIST' && code !== 'ENOENT') throw error
  }
}

function names(folder: string): string[] {
  try {
    return readdirSync(folder)
  } catch (error) {
    const code = (error as NodeJS.ErrnoException).code // the error type of fs
    if (code === 'ENOENT' || code === 'ENOTDIR') return []
    throw error
  }
}

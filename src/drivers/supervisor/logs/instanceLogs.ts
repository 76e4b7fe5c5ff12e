import { mkdirSync } from 'node:fs'
import type { Clock } from '../../../lib/clock.ts'
import type { SupervisorLimits } from '../limits.ts'
import type { LogLine, LogQuery } from '../supervisor.ts'
import { createInstanceLog, type InstanceLog } from './instanceLog.ts'
import { createLineFeed } from './lineFeed.ts'
import { listLogs, logFile, removeLog, type KeptLog } from './logFolder.ts'
import { readHistory } from './logHistory.ts'
import { openLogSource, type LogSource } from './logSource.ts'
import { LogSweeps } from './logSweeps.ts'

const rememberedOver = 1000

/** The output of all instances of one machine in `folder`/SERVICE/INSTANCE.log, as plain text. */
export interface InstanceLogs {
  open(service: string, instance: string): InstanceLog
  query(query: LogQuery): AsyncGenerator<LogLine>
  /** Removes the kept output of the instances of a service that do not run. */
  forget(service: string): Promise<void>
  /** Ends every reader and waits for pending work on the folder. */
  close(): Promise<void>
}

export function createInstanceLogs(folder: string, clock: Clock, limits: SupervisorLimits): InstanceLogs {
  mkdirSync(folder, { recursive: true, mode: 0o700 })
  const live = new Map<string, InstanceLog>()
  const feed = createLineFeed(limits.followBytes)
  const key = (service: string, instance: string): string => `${service}/${instance}`
  const isLive = (log: KeptLog): boolean => live.has(key(log.service, log.instance))

  const sweeps = new LogSweeps(folder, limits, isLive)

  /** Instances that ended recently, in case the disk kept no output of an instance. */
  const over = new Set<string>()
  const rememberOver = (name: string): void => {
    over.add(name)
    for (const oldest of over) if (over.size > rememberedOver) over.delete(oldest)
  }

  const open = (service: string, instance: string): InstanceLog => {
    const file = logFile(folder, service, instance)
    const log = createInstanceLog({
      file,
      service,
      instance,
      clock,
      limits,
      published: (lines) => feed.publish(lines),
      grown: (bytes) => sweeps.grown(bytes),
    })
    live.set(key(service, instance), log)
    return {
      ...log,
      end: async () => {
        await log.end()
        live.delete(key(service, instance))
        rememberOver(key(service, instance))
        feed.ended(service, instance)
        sweeps.sweep()
      },
    }
  }

  const query = async function* (query: LogQuery): AsyncGenerator<LogLine> {
    const { service, instance, signal } = query
    if (signal?.aborted) return
    const since = query.since === undefined ? null : new Date(query.since).toISOString()
    // Up to the end of `openSources` this is one event-loop turn: the lines in the files and the lines still to come
    // meet without a gap or an overlap.
    const kept = listLogs(folder, service).filter((log) => instance === undefined || log.instance === instance)
    const { queue, leave } = feed.follow(query)
    const stop = (): void => queue.end()
    signal?.addEventListener('abort', stop)
    const sources = openSources(kept, query, since)
    try {
      for await (const line of readHistory(sources, { since, last: query.last ?? null })) {
        if (signal?.aborted) return
        yield line
      }
      if (query.follow !== true || (instance !== undefined && isOver(kept, service, instance))) queue.end()
      if (query.follow !== true) return
      for (let lines = await queue.take(); lines !== null; lines = await queue.take()) {
        for (const line of lines) {
          if (signal?.aborted) return
          if (since === null || line.at >= since) yield line
        }
      }
    } finally {
      signal?.removeEventListener('abort', stop)
      leave()
      for (const source of sources) source.close()
    }
  }

  const openSources = (kept: KeptLog[], { service, instance }: LogQuery, since: string | null): LogSource[] => {
    const sources: LogSource[] = []
    for (const log of kept) {
      const old = since !== null && log.modifiedMs < Date.parse(since)
      if (!isLive(log) && !old) sources.push(openLogSource(log.file, service, log.instance, null))
    }
    for (const log of live.values()) {
      if (log.service !== service || (instance !== undefined && log.instance !== instance)) continue
      sources.push(openLogSource(logFile(folder, service, log.instance), service, log.instance, log.size()))
    }
    return sources
  }

  const isOver = (kept: KeptLog[], service: string, instance: string): boolean =>
    (kept.length > 0 || over.has(key(service, instance))) && !live.has(key(service, instance))

  return {
    open,
    query,
    forget: async (service) => {
      await sweeps.idle()
      for (const log of listLogs(folder, service)) if (!isLive(log)) await removeLog(folder, log)
    },
    close: async () => {
      feed.close()
      await sweeps.idle()
    },
  }
}

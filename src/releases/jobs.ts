import { once } from 'node:events'
import { availableParallelism } from 'node:os'
import { extname } from 'node:path'
import { Worker } from 'node:worker_threads'
import { tasks, type TaskName, type Tasks } from './tasks.ts'

type Job<Name extends TaskName> = Tasks[Name]['job']
type Result<Name extends TaskName> = Tasks[Name]['result']

export interface JobOptions<Name extends TaskName> {
  task: Name
  jobs: Job<Name>[]
  /** Number of bytes that a job reads or writes. */
  bytesOf: (job: Job<Name>) => number
  signal?: AbortSignal
  /** Called as results arrive, with the number of jobs done since the last call. */
  onDone?: (jobs: number) => void
}

const maxThreads = 4
const batchWeight = 8 * 1024 * 1024
/** Less work than this is done at once in this thread: starting a worker takes longer. */
const inlineWeight = 6 * 1024 * 1024
/** Opening and closing a file costs as much as copying this many bytes. */
const fileWeight = 32 * 1024

/**
 * Runs a task over many files on worker threads, so that the caller's thread stays free. Results are in the jobs'
 * order.
 */
export async function runJobs<Name extends TaskName>(options: JobOptions<Name>): Promise<Result<Name>[]> {
  const batches = split(options)
  const [only] = batches
  if (only === undefined) return []
  if (batches.length === 1 && only.weight <= inlineWeight) {
    options.signal?.throwIfAborted()
    const run = tasks[options.task] as (job: Job<Name>) => Result<Name> // the table's own type, for one name
    const results = only.jobs.map(run)
    options.onDone?.(results.length)
    return results
  }
  const results: Result<Name>[] = []
  const threads = Math.min(batches.length, availableParallelism(), maxThreads)
  const ended = await Promise.allSettled(Array.from({ length: threads }, () => work(options, batches, results)))
  const failed = ended.find((end) => end.status === 'rejected')
  if (failed) throw failed.reason
  return results
}

interface Batch<Name extends TaskName> {
  offset: number
  weight: number
  jobs: Job<Name>[]
}

function split<Name extends TaskName>({ jobs, bytesOf }: JobOptions<Name>): Batch<Name>[] {
  const batches: Batch<Name>[] = []
  let batch: Batch<Name> | undefined
  for (const [offset, job] of jobs.entries()) {
    if (batch === undefined || batch.weight >= batchWeight) {
      batch = { offset, weight: 0, jobs: [] }
      batches.push(batch)
    }
    batch.jobs.push(job)
    batch.weight += fileWeight + bytesOf(job)
  }
  return batches
}

type Answer<Name extends TaskName> =
  | { results: Result<Name>[] }
  | { failure: { message: string; code?: string; path?: string } }

/** The work of one thread: takes batches from the queue until it is empty or a batch failed. */
async function work<Name extends TaskName>(
  options: JobOptions<Name>,
  queue: Batch<Name>[],
  results: Result<Name>[],
): Promise<void> {
  const worker = new Worker(new URL(`./releaseWorker${extname(import.meta.filename)}`, import.meta.url))
  try {
    for (let batch = queue.shift(); batch; batch = queue.shift()) {
      options.signal?.throwIfAborted()
      // oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread, not a window
      worker.postMessage({ task: options.task, jobs: batch.jobs })
      const [answer] = (await once(worker, 'message')) as [Answer<Name>] // see releaseWorker.ts
      if ('failure' in answer) throw Object.assign(new Error(answer.failure.message), answer.failure)
      for (const [index, result] of answer.results.entries()) results[batch.offset + index] = result
      options.onDone?.(batch.jobs.length)
    }
  } catch (error) {
    queue.length = 0
    throw error
  } finally {
    await worker.terminate()
  }
}

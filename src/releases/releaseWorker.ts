import { parentPort } from 'node:worker_threads'
import { tasks, type TaskName, type Tasks } from './tasks.ts'

/** The worker's side of `runJobs`: takes a batch and returns its results, or the failure that ended the batch. */
parentPort?.on('message', ({ task, jobs }: { task: TaskName; jobs: Tasks[TaskName]['job'][] }) => {
  try {
    const run = tasks[task] as (job: Tasks[TaskName]['job']) => Tasks[TaskName]['result'] // the task determines the type of its jobs
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread, not a window
    parentPort?.postMessage({ results: jobs.map((job) => run(job)) })
  } catch (error) {
    const { message, code, path } = error as NodeJS.ErrnoException // a message drops these of an Error
    // oxlint-disable-next-line unicorn/require-post-message-target-origin -- the port of a thread, not a window
    parentPort?.postMessage({ failure: { message, code, path } })
  }
})

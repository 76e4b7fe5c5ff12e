import type { LogLine } from '../supervisor.ts'
import { createLineQueue, type LineQueue } from './lineQueue.ts'

/** Delivers lines to the readers that follow, as the lines are written. */
export interface LineFeed {
  publish(lines: LogLine[]): void
  /** No more lines of this instance will come. */
  ended(service: string, instance: string): void
  follow(query: { service: string; instance?: string }): { queue: LineQueue; leave: () => void }
  close(): void
}

interface Follower {
  service: string
  instance: string | undefined
  queue: LineQueue
}

export function createLineFeed(followBytes: number): LineFeed {
  const followers = new Set<Follower>()
  const wants = (follower: Follower, service: string, instance: string): boolean =>
    follower.service === service && (follower.instance === undefined || follower.instance === instance)
  return {
    publish: (lines) => {
      for (const follower of followers) {
        for (const line of lines) if (wants(follower, line.service, line.instance)) follower.queue.push(line)
      }
    },
    ended: (service, instance) => {
      for (const follower of followers) {
        if (follower.service === service && follower.instance === instance) follower.queue.end()
      }
    },
    follow: ({ service, instance }) => {
      const follower = { service, instance, queue: createLineQueue(followBytes) }
      followers.add(follower)
      return { queue: follower.queue, leave: () => void followers.delete(follower) }
    },
    close: () => {
      for (const follower of followers) follower.queue.end()
    },
  }
}

import { z } from 'zod'
import { name } from './basics.ts'

const count = z.number().nonnegative()

/** By class of the status: 1xx (protocols switched, and interim answers), 2xx, 3xx, 4xx, 5xx. */
export const classesSchema = z.tuple([count, count, count, count, count])

const instanceNumbersSchema = z.object({
  id: name,
  service: name,
  answers: classesSchema,
  /** TCP connections that reached the instance. */
  connections: count,
  /** Times that the instance refused a connection, or ended one before its answer began. */
  errors: count,
  /** Work in flight. */
  work: count,
})

const serviceNumbersSchema = z.object({
  service: name,
  /** Answers that the balancer made itself: no instance, a limit, no answer of the instance. */
  own: classesSchema,
  retries: count,
  /** Requests and connections that wait for an instance at this moment. */
  held: count,
})

/** `null`: this system does not tell. */
const loadSchema = z.object({
  /** Time of all processors since the machine started, in ms: busy, and altogether. */
  cpu: z.object({ busyMs: count, totalMs: count }).nullable(),
  memory: z.object({ totalBytes: count, availableBytes: count }).nullable(),
  /** The file system of the agent's data folder. */
  disk: z.object({ totalBytes: count, freeBytes: count }).nullable(),
})

/** Most instances, and services, of one machine in one answer. */
export const mostNumbers = 5_000

/** The counts of one machine, as its balancer makes them; they only grow as long as `counting` is the same. */
export const machineNumbersSchema = z.object({
  counting: name,
  instances: z.array(instanceNumbersSchema).max(mostNumbers),
  services: z.array(serviceNumbersSchema).max(mostNumbers),
  load: loadSchema,
})

export type MachineNumbers = z.infer<typeof machineNumbersSchema>
export type MachineLoad = z.infer<typeof loadSchema>

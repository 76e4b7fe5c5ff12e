import type { Logger } from 'pino'
import type { RolloutNumbers } from '../../api/numbers.ts'
import { BoundedFolder } from '../../lib/boundedFolder.ts'
import type { Controller } from '../controller.ts'
import { rolloutIdOf } from '../findRollout.ts'
import { recordLinesIn, recordText, thinned, type RecordLine } from './recordFile.ts'
import { rolloutRecord } from './rolloutRecord.ts'
import type { Read, Sample } from './sample.ts'

const files = { ending: '.ndjson', files: 5_000, bytes: 256 * 1_024 * 1_024 }
/** Beyond this size, a record is thinned. */
const fileBytes = 256 * 1_024
/** A rollout that has just ended gets one more reading of each machine, if it comes in this time. */
const lastReadingMs = 60_000

interface Parts {
  controller: Controller
  logger: Logger
  /** Holds a file for each rollout. */
  folder: string
}

/**
 * Writes the numbers of each running rollout to a file, from the reading before its start to the first one after its
 * end, so that they can be read later. A restart of the controller continues the file.
 */
export class RolloutRecorder {
  readonly #controller: Controller
  readonly #logger: Logger
  readonly #folder: BoundedFolder
  /** By rollout that is being recorded: when each machine was recorded last. */
  readonly #recorded = new Map<string, Map<string, number>>()
  #isFailing = false

  constructor({ controller, logger, folder }: Parts) {
    this.#controller = controller
    this.#logger = logger
    this.#folder = new BoundedFolder(folder, files)
  }

  /** Takes a reading, and the one before it. A full disk costs the record and nothing else. */
  take(sample: Sample, before: Read | null): void {
    const { rollouts } = this.#controller.state
    for (const rollout of this.#recorded.keys()) if (!Object.hasOwn(rollouts, rollout)) this.#recorded.delete(rollout)
    for (const { id, service } of Object.values(rollouts)) {
      try {
        this.#record(id, service, sample, before)
        this.#isFailing = false
      } catch (error) {
        // It may have written half a line: the next reading begins with the file, and repairs it.
        this.#recorded.delete(id)
        if (!this.#isFailing) this.#logger.error({ err: error, rollout: id }, 'could not record numbers; retrying')
        this.#isFailing = true
      }
    }
  }

  /** The record of a rollout up to a time, by its id or an unambiguous prefix. It is empty if none was made. */
  find(prefix: string, until = Infinity): RolloutNumbers {
    const ids = new Set([...this.#controller.history.all().map(({ id }) => id), ...this.#folder.names()])
    const rollout = rolloutIdOf(ids, prefix)
    const { lines, damaged } = recordLinesIn(this.#folder.read(rollout) ?? '')
    const upTo = lines.filter(({ at }) => at <= until)
    return rolloutRecord(rollout, upTo, damaged)
  }

  #record(rollout: string, service: string, sample: Sample, before: Read | null): void {
    const finishedAt = this.#controller.history.get(rollout)?.finishedAt ?? null
    const overAt = finishedAt === null ? Infinity : Date.parse(finishedAt)
    if (sample.at - overAt > lastReadingMs) return void this.#recorded.delete(rollout)
    const recorded = this.#recordedOf(rollout)
    const lastAt = recorded.get(sample.machine)
    if ((lastAt ?? -Infinity) >= overAt) return
    const line = lineOf(service, sample)
    if (line === null) return
    const first = lastAt === undefined && before ? lineOf(service, { ...before, machine: sample.machine }) : null
    this.#append(rollout, first ? [first, line] : [line])
    recorded.set(sample.machine, sample.at)
  }

  #append(rollout: string, lines: readonly RecordLine[]): void {
    const text = recordText(lines)
    if ((this.#folder.bytesOf(rollout) ?? 0) + Buffer.byteLength(text) <= fileBytes)
      return this.#folder.append(rollout, text)
    const { lines: before } = recordLinesIn(this.#folder.read(rollout) ?? '')
    this.#folder.write(rollout, fitting([...before, ...lines]))
  }

  /** After a start or an error, from the file. Damage at its end, from a killed controller or a full disk, is removed. */
  #recordedOf(rollout: string): Map<string, number> {
    const known = this.#recorded.get(rollout)
    if (known) return known
    const { lines, damaged } = recordLinesIn(this.#folder.read(rollout) ?? '')
    if (damaged) this.#folder.write(rollout, recordText(lines))
    const recorded = new Map(lines.map(({ machine, at }) => [machine, at]))
    this.#recorded.set(rollout, recorded)
    return recorded
  }
}

/** The text of lines, with room for more. If few lines can be left out without a change of the sum, the oldest go. */
function fitting(lines: readonly RecordLine[]): string {
  const fewer = thinned(lines)
  const text = recordText(fewer)
  if (Buffer.byteLength(text) <= fileBytes * (3 / 4)) return text
  return fitting(fewer.length < lines.length ? fewer : lines.slice(Math.ceil(lines.length / 4)))
}

/** `null`: the machine has nothing of this service. */
function lineOf(
  service: string,
  { at, machine, numbers }: Pick<Sample, 'at' | 'machine' | 'numbers'>,
): RecordLine | null {
  const own = numbers.instances.filter((one) => one.service === service)
  const balancer = numbers.services.find((one) => one.service === service)
  if (own.length === 0 && !balancer) return null
  const instances = own.map(({ id, answers, connections, errors, work }): [string, RecordLine['instances'][string]] => [
    id,
    { answers, connections, errors, work },
  ])
  return {
    ...{ at, machine, counting: numbers.counting, instances: Object.fromEntries(instances) },
    balancer: balancer ? { own: balancer.own, retries: balancer.retries, held: balancer.held } : null,
  }
}

import type { HaproxyFolder } from './haproxyFolder.ts'
import type { RunningHaproxy } from './runningHaproxy.ts'

/** The reason for a client whose request was cut with its instance. */
const stoppedReason = 'the instance was stopped when its drain time had ended'

/**
 * Instances that are being stopped: a request that still waits for such an instance is answered with that reason. A map
 * of HAProxy, by instance; also on disk, so that a worker that starts meanwhile has it.
 */
export class StoppedInstances {
  readonly #folder: HaproxyFolder
  readonly #running: RunningHaproxy

  constructor(folder: HaproxyFolder, running: RunningHaproxy) {
    this.#folder = folder
    this.#running = running
  }

  /** Adds the instance in old workers too: they have the oldest requests. */
  async add(instance: string): Promise<void> {
    const known = this.#folder.stopped()
    if (known.includes(instance)) return
    this.#folder.writeStopped([...known, instance], stoppedReason)
    await this.#running.askAll(
      `add map ${this.#folder.files.stopped} ${instance} ${stoppedReason.replaceAll(' ', '\\ ')}`,
    )
  }

  /** Keeps only instances that a plan still names: only these can have requests. */
  async keep(instances: ReadonlySet<string>): Promise<void> {
    const known = this.#folder.stopped()
    const gone = known.filter((instance) => !instances.has(instance))
    if (gone.length === 0) return
    this.#folder.writeStopped(
      known.filter((instance) => instances.has(instance)),
      stoppedReason,
    )
    for (const instance of gone) await this.#running.askAll(`del map ${this.#folder.files.stopped} ${instance}`)
  }
}

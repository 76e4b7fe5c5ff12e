import type { Logger } from 'pino'
import { lastWordsSchema, type LastWordsView } from '../../api/lastWords.ts'
import { BoundedFolder } from '../../lib/boundedFolder.ts'
import { oneOf } from '../../lib/oneOf.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { lastOf, type Failure } from '../../protocol/lastWords.ts'
import type { Controller } from '../controller.ts'

/** The newest failure of each of so many instances is kept: at most some 30 MB. */
const files = { ending: '.json', files: 1_000, bytes: 32 * 1_024 * 1_024 }
const instanceId = /^[a-z0-9][a-z0-9-]{0,199}$/

interface Parts {
  controller: Controller
  logger: Logger
  /** Holds a file for each instance. */
  folder: string
}

/** Keeps the last output of failed instances beside the event log, so that it is there when the machine is gone. */
export class LastWordsKeeper {
  readonly #controller: Controller
  readonly #logger: Logger
  readonly #folder: BoundedFolder
  /** The newest failures that each machine reported: the same object as long as nothing is new. */
  readonly #seen = new Map<string, readonly Failure[]>()
  readonly #stop: () => void

  constructor({ controller, logger, folder }: Parts) {
    this.#controller = controller
    this.#logger = logger
    this.#folder = new BoundedFolder(folder, files)
    this.#stop = controller.onDecision(() => this.#look())
  }

  /** By the id of an instance or an unambiguous prefix. */
  find(prefix: string): LastWordsView {
    const found = oneOf(prefix, this.#folder.names(), 'instances')
    const words = found === null ? null : this.#read(found)
    if (words) return words
    throw new OperatorError('E_NO_SUCH_INSTANCE', `no last output of an instance ${prefix} is kept`, {
      subject: prefix,
      next: 'tandem logs SERVICE --instance ID   asks the machines',
    })
  }

  close(): void {
    this.#stop()
  }

  #look(): void {
    for (const [machine, { report }] of Object.entries(this.#controller.observed)) {
      if (this.#seen.get(machine) === report.lastWords) continue
      this.#seen.set(machine, report.lastWords)
      for (const failure of report.lastWords) this.#keep(machine, failure)
    }
  }

  /** An instance belongs to one machine, which alone may tell of it. A full disk costs these lines and nothing else. */
  #keep(machine: string, failure: Failure): void {
    const { instance } = failure
    if (!instanceId.test(instance)) return
    const owner = this.#controller.state.instances[instance]?.machine
    try {
      const known = this.#read(instance)
      if ((owner ?? known?.machine ?? machine) !== machine) return
      const words = { ...failure, ...boundedLines(failure), machine }
      if (known && known.at === words.at && known.lines.length === words.lines.length) return
      this.#folder.write(instance, JSON.stringify(words))
    } catch (error) {
      this.#logger.error({ err: error, instance }, 'could not keep the last output of an instance')
    }
  }

  /** `null`: there are none, or their file is damaged. */
  #read(instance: string): LastWordsView | null {
    try {
      const text = this.#folder.read(instance)
      return text === null ? null : lastWordsSchema.parse(JSON.parse(text))
    } catch (error) {
      this.#logger.warn({ err: error, instance }, 'ignored a damaged file of last output')
      return null
    }
  }
}

/** The machine keeps to the limits too, unless it is not what it should be. */
function boundedLines({ lines, cut }: Failure): Pick<Failure, 'lines' | 'cut'> {
  const last = lastOf(lines)
  return { lines: last.lines, cut: cut || last.cut }
}

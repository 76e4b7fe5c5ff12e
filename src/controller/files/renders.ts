import { OperatorError } from '../../lib/operatorError.ts'
import type { RenderAsk } from '../../protocol/files.ts'
import type { Asks } from '../asks.ts'
import type { Controller } from '../controller.ts'

/** A release may have to be fetched first. */
const withinMs = 60_000

/** Has machines fill in files, for people. */
export class Renders {
  readonly #controller: Controller
  #asks: Asks | null = null

  constructor({ controller }: { controller: Controller }) {
    this.#controller = controller
  }

  start(asks: Asks): void {
    this.#asks = asks
  }

  /** The text of each file, with secrets masked. Throws `E_TEMPLATE` with the place of the problem. */
  async ask(machine: string, asked: RenderAsk): Promise<Record<string, string>> {
    const { clock } = this.#controller
    if (this.#asks === null) throw new OperatorError('E_CONTROLLER_UNREACHABLE', 'the controller is still starting')
    const stop = new AbortController()
    const stopTimer = clock.after(withinMs, () => stop.abort())
    try {
      const id = this.#controller.newId()
      for await (const answer of this.#asks.ask(machine, { kind: 'render', id, ...asked }, stop.signal)) {
        if (answer.kind === 'error') throw unfilled(machine, answer.message)
        if (answer.kind === 'rendered') return answer.files
      }
    } finally {
      stopTimer()
    }
    throw unfilled(machine, `machine ${machine} did not answer in time`)
  }
}

const unfilled = (machine: string, message: string): OperatorError =>
  new OperatorError('E_TEMPLATE', message, {
    subject: machine,
    next: 'correct the template at the place that the message names, or set the value that it lacks',
  })

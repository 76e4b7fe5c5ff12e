import { errorCodes, type ErrorCode } from '../../lib/errorCodes.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { RenderAsk } from '../../protocol/files.ts'
import type { Asks } from '../asks.ts'
import type { Controller } from '../controller.ts'

/** A release may have to be fetched first. */
const withinMs = 60_000

/** Has machines fill in files, for people. */
export class Renders {
  readonly #controller: Pick<Controller, 'clock' | 'newId'>
  #asks: Pick<Asks, 'ask'> | null = null

  constructor({ controller }: { controller: Pick<Controller, 'clock' | 'newId'> }) {
    this.#controller = controller
  }

  start(asks: Pick<Asks, 'ask'>): void {
    this.#asks = asks
  }

  /** The text of each file, with secrets masked. Throws `E_TEMPLATE` with the place of a problem in a template. */
  async ask(machine: string, asked: RenderAsk): Promise<Record<string, string>> {
    const { clock } = this.#controller
    if (this.#asks === null) throw new OperatorError('E_CONTROLLER_UNREACHABLE', 'the controller is still starting')
    const stop = new AbortController()
    const stopTimer = clock.after(withinMs, () => stop.abort())
    try {
      const id = this.#controller.newId()
      for await (const answer of this.#asks.ask(machine, { kind: 'render', id, ...asked }, stop.signal)) {
        if (answer.kind === 'error') throw unfilled(machine, answer)
        if (answer.kind === 'rendered') return answer.files
      }
    } finally {
      stopTimer()
    }
    throw unfilled(machine, { code: 'E_MACHINE_UNREACHABLE', message: `machine ${machine} did not answer` })
  }
}

/** The agent may be newer, and have other codes. */
function unfilled(machine: string, { code, message }: { code: string; message: string }): OperatorError {
  const next =
    code === 'E_TEMPLATE'
      ? 'correct the template at the place that the message names, or set the value that it lacks'
      : `tandem machines   shows how ${machine} is; then repeat the command`
  const known = code in errorCodes ? (code as ErrorCode) : 'E_ENVIRONMENT' // looked up right here
  return new OperatorError(known, message, { subject: machine, next })
}

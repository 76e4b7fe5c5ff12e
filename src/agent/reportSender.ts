import { reportChange } from '../protocol/reportChange.ts'
import type { Report } from '../protocol/report.ts'
import type { ControllerConnection } from './controllerConnection.ts'

/**
 * Sends reports, one at a time: the first whole, later ones as changes, where the controller takes them. After every
 * failure the next report is whole, because nobody knows which report the controller has.
 */
export class ReportSender {
  #connection: Pick<ControllerConnection, 'report' | 'reportChange'>
  /** The last report that the controller has taken in, if it takes changes. */
  #taken: Report | null = null

  constructor(connection: Pick<ControllerConnection, 'report' | 'reportChange'>) {
    this.#connection = connection
  }

  /** Resolves once the controller has answered; returns `laterBoot` of the answer. */
  async send(report: Report, signal: AbortSignal): Promise<number | null> {
    const before = this.#taken
    this.#taken = null
    const isChanged =
      before !== null && (await this.#connection.reportChange(reportChange(before, report), signal)).taken
    const { laterBoot, takesChanges } = isChanged
      ? { laterBoot: null, takesChanges: true }
      : await this.#connection.report(report, signal)
    if (laterBoot === null && takesChanges) this.#taken = report
    return laterBoot
  }
}

import { expect, it } from 'vitest'
import { BaseMismatch } from '../lib/following.ts'
import { readReportChange, type ReportChange } from '../protocol/reportChange.ts'
import type { Report } from '../protocol/report.ts'
import type { ReportAnswer } from './controllerConnection.ts'
import { ReportSender } from './reportSender.ts'
import { aReport } from './testing/given.ts'

/** A controller that answers as the test decides, and knows the last report. */
class Receiver {
  takesChanges = true
  known: Report | undefined
  readonly received: string[] = []
  failure: Error | null = null

  async report(report: Report): Promise<ReportAnswer> {
    this.received.push(`whole ${report.seq}`)
    if (this.failure) throw this.failure
    this.known = report
    return { laterBoot: null, takesChanges: this.takesChanges }
  }

  async reportChange(change: ReportChange): Promise<{ taken: boolean }> {
    this.received.push(`change after ${change.after}`)
    if (this.failure) throw this.failure
    try {
      this.known = readReportChange(this.known, change)
      return { taken: true }
    } catch (error) {
      if (error instanceof BaseMismatch) return { taken: false }
      throw error
    }
  }
}

const { signal } = new AbortController()
const given = (): { sender: ReportSender; receiver: Receiver; send: (seq: number) => Promise<number | null> } => {
  const receiver = new Receiver()
  const sender = new ReportSender(receiver)
  return { sender, receiver, send: (seq) => sender.send(aReport({ seq, problems: [`${seq}`] }), signal) }
}

it('sends the first report whole, then changes, from which the whole follows', async () => {
  const { receiver, send } = given()
  for (const seq of [1, 2, 3]) await send(seq)
  expect(receiver.received).toEqual(['whole 1', 'change after 1', 'change after 2'])
  expect(receiver.known).toEqual(aReport({ seq: 3, problems: ['3'] }))
})

it('sends whole reports to a controller that takes no changes', async () => {
  const { receiver, send } = given()
  receiver.takesChanges = false
  for (const seq of [1, 2]) await send(seq)
  expect(receiver.received).toEqual(['whole 1', 'whole 2'])
})

it('sends the whole report at once when the controller does not have the one before', async () => {
  const { receiver, send } = given()
  await send(1)
  receiver.known = undefined
  for (const seq of [2, 3]) await send(seq)
  expect(receiver.received).toEqual(['whole 1', 'change after 1', 'whole 2', 'change after 2'])
  expect(receiver.known).toEqual(aReport({ seq: 3, problems: ['3'] }))
})

it('sends a whole report after one that failed, because nobody knows whether it arrived', async () => {
  const { receiver, send } = given()
  await send(1)
  receiver.failure = new Error('the line broke')
  await expect(send(2)).rejects.toThrow('the line broke')
  await expect(send(3)).rejects.toThrow('the line broke')
  receiver.failure = null
  await send(4)
  expect(receiver.received).toEqual(['whole 1', 'change after 1', 'whole 3', 'whole 4'])
})

it('never builds upon a report of another start of the agent, or of another machine', () => {
  const change = { machine: 'a', boot: 1, after: 1, set: { seq: 2 }, lists: {}, records: {}, gone: [] }
  expect(readReportChange(aReport({ seq: 1 }), change).seq).toBe(2)
  for (const before of [undefined, aReport({ seq: 2 }), aReport({ boot: 2 }), aReport({ machine: 'b' })])
    expect(() => readReportChange(before, change)).toThrow(BaseMismatch)
  const forged = { ...change, set: { machine: 'b', seq: 2 } }
  expect(() => readReportChange(aReport({ seq: 1 }), forged)).toThrow(BaseMismatch)
})

it('never builds upon a report that the controller ignored', async () => {
  const received: number[] = []
  const sender = new ReportSender({
    report: async ({ seq }) => {
      received.push(seq)
      return { laterBoot: 7, takesChanges: true }
    },
    reportChange: () => expect.fail('nothing was taken in'),
  })
  for (const seq of [1, 2]) expect(await sender.send(aReport({ seq }), signal)).toBe(7)
  expect(received).toEqual([1, 2])
})

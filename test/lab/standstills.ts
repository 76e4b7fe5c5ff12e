import { Worker } from 'node:worker_threads'

const longMs = 150

/** A thread of its own, so that work of the test does not delay it. */
const watch = `
const { parentPort } = require('node:worker_threads')
const cell = new Int32Array(new SharedArrayBuffer(4))
for (let last = Date.now();;) {
  Atomics.wait(cell, 0, 0, 10)
  const now = Date.now()
  if (now - last > ${longMs}) parentPort.postMessage({ from: last, to: now })
  last = now
}
`

/**
 * Times in which this whole computer stood still, so that a machine could not advertise its address: a thread that only
 * waits 10 ms at a time was more than 150 ms late. In ms since the epoch.
 */
export class Standstills {
  readonly all: { from: number; to: number }[] = []
  readonly #worker = new Worker(watch, { eval: true })

  constructor() {
    this.#worker.on('message', (one: { from: number; to: number }) => this.all.push(one))
    this.#worker.unref()
  }

  /** Whether the computer stood still in the time before, in which three advertisements were due. */
  before(at: number): boolean {
    return this.all.some(({ from, to }) => from < at && to > at - 600)
  }

  async close(): Promise<void> {
    await this.#worker.terminate()
  }
}

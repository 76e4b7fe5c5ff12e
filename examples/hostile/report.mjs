// The report, section by section, one line for each thing that was tried.
import { env } from 'node:process'
import { ports } from './ports.mjs'
import { files, memory, others, sockets } from './things.mjs'

/**
 * @typedef {'expected' | 'documented' | 'UNEXPECTED' | 'refused'} Verdict
 * @typedef {{ verdict: Verdict, what: string, note: string }} Finding
 */

const sections = { 'TCP ports': ports, 'unix sockets': sockets, files, memory, 'the rest of the machine': others }
const explained = {
  expected: 'a service in its `uses`, itself, or the public entry',
  documented: 'docs/machines.md, "Who may connect", has the reason and the way to close it',
  UNEXPECTED: 'nothing of a service that enforces may be here',
}

export async function* report() {
  yield `a compromised service on machine ${env.TANDEM_MACHINE} reaches (tried by ${env.TANDEM_INSTANCE}):`
  /** @type {Record<Verdict, number>} */
  const counts = { expected: 0, documented: 0, UNEXPECTED: 0, refused: 0 }
  for (const [title, findings] of Object.entries(sections)) {
    yield `\n${title}`
    for await (const { verdict, what, note } of findings()) {
      counts[verdict]++
      yield `  ${verdict.padEnd(10)}  ${what.padEnd(46)}  ${note}`
    }
  }
  yield '\nreached'
  for (const [verdict, why] of Object.entries(explained))
    yield `  ${verdict.padEnd(10)}  ${String(counts[/** @type {Verdict} */ (verdict)]).padEnd(4)}  ${why}`
}

import type { LabMachine } from './labMachine.ts'

const longestMs = 300_000
const words = ['expected', 'documented', 'UNEXPECTED', 'refused'] as const
type Report = Record<(typeof words)[number], string[]>

/** The lines of the report of examples/hostile on that machine, sorted, by the word that each begins with. */
export async function hostileReport(machine: LabMachine): Promise<Report> {
  const text = await machine.must(['curl', '-sS', 'http://hostile.tandem.internal:7666/'], { timeoutMs: longestMs })
  const [findings = ''] = text.split('\nreached\n')
  const lines = [...findings.matchAll(/^ {2}(\w+) +(\S.*?) {2,}(.*)$/gm)]
    .map(([, word, what, note]) => ({ word, line: `${what} ${note}` }))
    // HAProxy closes these at once, so whether they were open is chance.
    .filter(({ line }) => !/^127\.77\.\S+:80 the public entry$/.test(line))
  const of = (wanted: string): string[] => lines.flatMap(({ word, line }) => (word === wanted ? [line] : [])).toSorted()
  return Object.fromEntries(words.map((word) => [word, of(word)])) as Report // one for each word
}

import { createInterface } from 'node:readline'
import { Writable } from 'node:stream'
import { OperatorError } from '../../lib/operatorError.ts'
import { terminalOf } from '../access/terminal.ts'
import type { Session } from '../session.ts'

/** Asks the person at the terminal for a line, and does not show it. `instead`: what a script would write. */
export async function askHidden({ host, out, signal }: Session, question: string, instead: string): Promise<string> {
  const terminal = terminalOf(host)
  if (terminal === null)
    throw new OperatorError('E_USAGE', 'nobody can be asked: standard input and output must be a terminal', {
      subject: 'tandem secrets put',
      next: `${instead} reads the value from standard input`,
    })
  // readline shows each key on its output; with none, it shows nothing.
  const nowhere = new Writable({ write: (_chunk, _encoding, done) => done() })
  const lines = createInterface({ input: terminal.input, output: nowhere, terminal: true, historySize: 0 })
  out.stderr.write(question)
  try {
    return await new Promise<string>((resolve, reject) => {
      const stop = (): void => reject(new OperatorError('E_USAGE', 'no value was given; nothing was stored'))
      lines.once('line', resolve).once('SIGINT', stop).once('close', stop)
      signal.addEventListener('abort', stop, { once: true })
    })
  } finally {
    lines.close()
    out.stderr.write('\n')
  }
}

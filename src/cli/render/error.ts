import type { OperatorError } from '../../lib/operatorError.ts'
import type { Paint } from '../paint.ts'

/** Part of a definition error that renders each problem with its line. */
interface Rendering {
  render: () => string
  problems: readonly unknown[]
  omitted: number
}

/** Renders an error for people: message, code, subject and next step. */
export function renderError(error: OperatorError, paint: Paint): string {
  const what = renders(error) ? counted(error) : error.message.trimEnd()
  const lines = [`${paint('red', 'error:')} ${what} ${paint('dim', `(${error.code})`)}`]
  if (renders(error)) lines.unshift(error.render(), '')
  else if (error.subject !== null && !names(error.message, error.subject)) lines.push(`  on    ${error.subject}`)
  if (error.next !== null) lines.push(`  next  ${error.next.replaceAll('\n', '\n        ')}`)
  if (error.code === 'E_BUG' && error.cause instanceof Error) lines.push('', paint('dim', error.cause.stack ?? ''))
  return lines.join('\n')
}

/** Whether the message names the subject as a word: `dev` is not named by `a device`. */
function names(message: string, subject: string): boolean {
  for (let at = message.indexOf(subject); at >= 0; at = message.indexOf(subject, at + 1)) {
    const around = [message[at - 1], message[at + subject.length]]
    if (around.every((character) => character === undefined || !/[\p{L}\p{N}]/u.test(character))) return true
  }
  return false
}

function counted({ problems, omitted }: Rendering): string {
  const count = problems.length + omitted
  return count === 1
    ? 'the definition has the problem above; nothing was changed'
    : `the definition has the ${count} problems above; nothing was changed`
}

function renders(error: OperatorError): error is OperatorError & Rendering {
  return 'render' in error && typeof error.render === 'function'
}

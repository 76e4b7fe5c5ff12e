import type { OperatorError } from '../../lib/operatorError.ts'
import type { Paint } from '../paint.ts'

/** What a definition error can say better itself: every problem with its line. */
interface Rendering {
  render: () => string
}

/** An error for people: what happened, on what, what next, its code. */
export function renderError(error: OperatorError, paint: Paint): string {
  const lines = [`${paint('red', 'error:')} ${oneLine(error.message)} ${paint('dim', `(${error.code})`)}`]
  if (renders(error)) lines.splice(0, 1, error.render(), '', `${paint('red', 'error:')} ${paint('dim', error.code)}`)
  else if (error.subject !== null && !error.message.includes(error.subject)) lines.push(`  on    ${error.subject}`)
  if (error.next !== null) lines.push(`  next  ${error.next.replaceAll('\n', '\n        ')}`)
  if (error.code === 'E_BUG' && error.cause instanceof Error) lines.push('', paint('dim', error.cause.stack ?? ''))
  return lines.join('\n')
}

const oneLine = (text: string): string => text.trimEnd()

function renders(error: OperatorError): error is OperatorError & Rendering {
  return 'render' in error && typeof error.render === 'function'
}

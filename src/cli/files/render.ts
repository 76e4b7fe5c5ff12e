import { nearest } from '../../definitions/suggest.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { CommonFlags, Session } from '../session.ts'

type Flags = CommonFlags & { machine?: string; release?: string }

/** Prints all files, or one of them as it is. */
export async function renderFiles(
  session: Session,
  { machine, release }: Flags,
  service: string,
  file?: string,
): Promise<number> {
  const { out, signal } = session
  const client = await session.client()
  const query = { ...(machine === undefined ? {} : { machine }), ...(release === undefined ? {} : { release }) }
  const answer = await client.call('renderFiles', { params: { service }, query }, signal)
  if (file === undefined) {
    out.result(answer, () =>
      answer.files.length === 0
        ? `${service} has no files: its definition has no \`files\``
        : answer.files.map(({ path, text }) => `==> ${path} <==\n${text}`).join('\n'),
    )
    return 0
  }
  const one = answer.files.find(({ path }) => path === file)
  if (!one)
    throw unknown(
      service,
      file,
      answer.files.map(({ path }) => path),
    )
  if (out.json) out.object({ ...answer, files: [one] })
  else out.raw('out', one.text)
  return 0
}

function unknown(service: string, file: string, known: readonly string[]): OperatorError {
  const near = nearest(file, known)
  return new OperatorError('E_USAGE', `${service} has no file ${file}`, {
    subject: file,
    next: near === null ? `its files: ${known.join(', ') || 'none'}` : `did you mean ${near}?`,
  })
}

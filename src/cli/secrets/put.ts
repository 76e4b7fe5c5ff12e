import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import type { Readable } from 'node:stream'
import { checkedPath, fieldName, fieldNameRule, mostValueBytes, tooLarge } from '../../definitions/secrets/paths.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { CommonFlags, Session } from '../session.ts'
import { askHidden } from './askHidden.ts'
import { restartAll, restartWords, servicesBefore } from './users.ts'

type PutFlags = CommonFlags & { replace: boolean; cas?: number; reason?: string; roll: boolean }

/** Where the value of a field comes from. */
interface Source {
  field: string
  /** `-`: standard input. `null`: the person at the terminal. */
  file: string | null
}

export async function putSecret(session: Session, flags: PutFlags, path: string, ...given: string[]): Promise<number> {
  const { replace, cas = null, reason = null, roll } = flags
  const sources = given.map(sourceOf)
  checkedPath(path)
  refuseTwice(sources)
  const fields: Record<string, string> = {}
  for (const source of sources) fields[source.field] = (await valueOf(session, path, source)).toString('base64')
  const { client } = await session.announce(`store ${path}`)
  const stored = await client.call(
    'putSecret',
    { params: { path }, body: { fields, replace, cas, reason } },
    session.signal,
  )
  const services = await servicesBefore(client, path, stored.version, session.signal)
  const next = roll ? '' : restartWords(services)
  session.out.line(
    stored.changed
      ? `stored ${path}, version ${stored.version}${next}`
      : `${path} has these values already, in version ${stored.version}${next}`,
  )
  if (roll) return restartAll(session, client, stored, services)
  session.out.object({ ...stored, services })
  return 0
}

function sourceOf(word: string): Source {
  const at = word.indexOf('=')
  const [field, from] = at < 0 ? [word, null] : [word.slice(0, at), word.slice(at + 1)]
  if (!fieldName.test(field)) throw misused(`"${field.slice(0, 60)}" is no field: ${fieldNameRule}`)
  if (from === null) return { field, file: null }
  if (from === '-') return { field, file: '-' }
  if (from.startsWith('@') && from.length > 1) return { field, file: from.slice(1) }
  throw misused(
    `the value of ${field} must not be an argument: other users of this computer can read it, and your shell keeps it`,
  )
}

function refuseTwice(sources: readonly Source[]): void {
  const names = sources.map(({ field }) => field)
  const twice = names.find((name, index) => names.indexOf(name) !== index)
  if (twice !== undefined) throw misused(`${twice} is given twice`)
  if (sources.filter(({ file }) => file === '-').length > 1)
    throw misused('only one field can come from standard input')
}

async function valueOf(session: Session, path: string, { field, file }: Source): Promise<Buffer> {
  const { host, out } = session
  if (file === null) return Buffer.from(await askHidden(session, `${path}#${field}: `, `${field}=-`))
  const value = file === '-' ? await readAll(host.stdin(), field) : readFrom(resolve(host.cwd, file), field)
  if (value.at(-1) === newline && !value.subarray(0, -1).includes(newline))
    out.warn(`the value of ${field} ends with a newline, which is kept; without it: printf %s VALUE | …`)
  return value
}

const newline = 10

async function readAll(input: Readable, field: string): Promise<Buffer> {
  const chunks: Buffer[] = []
  let bytes = 0
  for await (const chunk of input as AsyncIterable<Buffer>) {
    bytes += chunk.byteLength
    if (bytes > mostValueBytes) throw tooLarge(`the value of ${field}`, mostValueBytes)
    chunks.push(chunk)
  }
  return Buffer.concat(chunks)
}

function readFrom(path: string, field: string): Buffer {
  try {
    if (statSync(path).size > mostValueBytes) throw tooLarge(`the value of ${field}`, mostValueBytes)
    return readFileSync(path)
  } catch (cause) {
    if (cause instanceof OperatorError) throw cause
    const why = cause instanceof Error ? cause.message : String(cause)
    const next = 'FIELD=@FILE names a file of this computer'
    throw new OperatorError('E_USAGE', `cannot read ${path}: ${why}`, { subject: path, next, cause })
  }
}

const misused = (what: string): OperatorError =>
  new OperatorError('E_USAGE', what, {
    subject: 'tandem secrets put',
    next: 'FIELD asks for the value; FIELD=- reads standard input, FIELD=@FILE a file',
  })

import { isUtf8 } from 'node:buffer'
import { checkedPath } from '../../definitions/secrets/paths.ts'
import { renderTable } from '../render/table.ts'
import type { CommonFlags, Session } from '../session.ts'

type GetFlags = CommonFlags & { field?: string; version?: number; format: 'table' | 'json' | 'yaml' | 'env' }

export async function getSecret(session: Session, flags: GetFlags, path: string): Promise<number> {
  const { out, signal } = session
  const { field, version, format, json } = flags
  const client = await session.client()
  const query = { ...(field === undefined ? {} : { field }), ...(version === undefined ? {} : { version }) }
  const answer = await client.call('secretValue', { params: { path: checkedPath(path) }, query }, signal)
  const values = Object.entries(answer.fields).map(([name, value]) => ({ name, value: Buffer.from(value, 'base64') }))
  if (json) out.object({ path, version: answer.version, fields: objectOf(values) })
  else if (field !== undefined && format === 'table') out.raw('out', ending(values[0]?.value, session))
  else out.line(await shown(values, format, session))
  return 0
}

interface Value {
  name: string
  value: Buffer
}

/** The bytes; a terminal also needs the end of a line. */
const ending = (value = Buffer.alloc(0), { host }: Session): Buffer =>
  host.stdout.isTTY === true ? Buffer.concat([value, Buffer.from('\n')]) : value

/** Text as it is; other bytes in base64. */
const objectOf = (values: readonly Value[]): Record<string, string | { base64: string }> =>
  Object.fromEntries(
    values.map(({ name, value }) => [name, isUtf8(value) ? value.toString() : { base64: value.toString('base64') }]),
  )

async function shown(values: readonly Value[], format: GetFlags['format'], { out }: Session): Promise<string> {
  switch (format) {
    case 'json':
      return JSON.stringify(objectOf(values), null, 2)
    case 'yaml':
      return (await import('yaml')).stringify(objectOf(values)).trimEnd()
    case 'env':
      return values.map(({ name, value }) => `${name}=${quoted(value.toString())}`).join('\n')
    case 'table':
      return renderTable(['FIELD', 'VALUE'], values.map(rowOf), out.paint).join('\n')
  }
}

const rowOf = ({ name, value }: Value): string[] => [
  name,
  isUtf8(value) ? value.toString() : `${value.byteLength} bytes, which are no text: --field ${name} prints them`,
]

/** For a shell (POSIX, 2.2.2). */
const quoted = (text: string): string => `'${text.replaceAll("'", String.raw`'\''`)}'`

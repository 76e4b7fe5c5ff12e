import { spawn } from 'node:child_process'
import { once } from 'node:events'
import { existsSync, mkdtempSync, readFileSync, rmSync, statfsSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { isUtf8 } from 'node:buffer'
import { checkedPath, fieldName, fieldNameRule } from '../../definitions/secrets/paths.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { CommonFlags, Session } from '../session.ts'

type EditFlags = CommonFlags & { field?: string; reason?: string }

/** By name. */
type Values = Record<string, Buffer>

export async function editSecret(session: Session, flags: EditFlags, path: string): Promise<number> {
  const { out, signal } = session
  const { field, reason = null } = flags
  const params = { path: checkedPath(path) }
  const client = await session.client()
  const query = field === undefined ? {} : { field }
  const { version, fields } = await client.call('secretValue', { params, query }, signal)
  const values = Object.fromEntries(Object.entries(fields).map(([name, value]) => [name, Buffer.from(value, 'base64')]))
  const before = field === undefined ? await textOf(path, values) : (values[field] ?? Buffer.alloc(0))
  const after = await edited(session, before, field === undefined ? 'secret.yaml' : 'value')
  if (after.equals(before)) {
    out.result({ path, version, changed: false }, () => 'nothing was changed')
    return 0
  }
  const changed = field === undefined ? await valuesIn(after) : { [field]: after }
  const given = Object.fromEntries(Object.entries(changed).map(([name, value]) => [name, value.toString('base64')]))
  const body = { fields: given, replace: field === undefined, cas: version, reason }
  // Without the signal: a Ctrl-C in the editor was meant for the editor.
  const stored = await client.call('putSecret', { params, body })
  out.result(stored, () => `stored ${path}, version ${stored.version}`)
  return 0
}

async function textOf(path: string, values: Values): Promise<Buffer> {
  const binary = Object.entries(values).find(([, value]) => !isUtf8(value))
  if (binary)
    throw new OperatorError('E_USAGE', `the field ${binary[0]} is no text`, {
      subject: path,
      next: `tandem secrets edit ${path} --field ${binary[0]}   edits its bytes`,
    })
  const { stringify } = await import('yaml')
  return Buffer.from(
    stringify(Object.fromEntries(Object.entries(values).map(([name, value]) => [name, value.toString()]))),
  )
}

async function valuesIn(text: Buffer): Promise<Values> {
  const { parseDocument } = await import('yaml')
  const refuse = (why: string): OperatorError =>
    new OperatorError('E_USAGE', `nothing was stored: ${why}`, {
      subject: 'tandem secrets edit',
      next: 'each line is FIELD: VALUE; begin again with the same command',
    })
  const document = parseDocument(text.toString(), { logLevel: 'silent' })
  const [wrong] = [...document.errors, ...document.warnings]
  // The parser's own words may hold the value: an alias is named by the letters behind its asterisk.
  if (wrong) throw refuse(`line ${wrong.linePos?.[0].line ?? 1} is not plain YAML: put the value in quotes`)
  let written: unknown
  try {
    written = document.toJS()
  } catch {
    throw refuse('a value begins with *, and is not plain YAML: put it in quotes')
  }
  if (typeof written !== 'object' || written === null || Array.isArray(written)) throw refuse('the file is no map')
  return Object.fromEntries(
    Object.entries(written).map(([name, value]) => {
      if (!fieldName.test(name)) throw refuse(fieldNameRule)
      if (typeof value !== 'string') throw refuse(`${name} is no text: put its value in quotes`)
      return [name, Buffer.from(value)]
    }),
  )
}

/** `TMPFS_MAGIC`, statfs(2). */
const tmpfs = 0x01021994
const memory = '/dev/shm'

/** Opens the person's editor on a file that never reaches a disk. */
async function edited({ host }: Session, before: Buffer, name: string): Promise<Buffer> {
  if (!existsSync(memory) || statfsSync(memory).type !== tmpfs)
    throw new OperatorError(
      'E_ENVIRONMENT',
      `${memory} is no memory file system here, so the editor would write the secret to a disk`,
      {
        subject: memory,
        next: 'tandem secrets put PATH FIELD=-   takes the value from standard input',
      },
    )
  const folder = mkdtempSync(join(memory, 'tandem-'))
  try {
    const file = join(folder, name)
    writeFileSync(file, before, { mode: 0o600 })
    const editor = host.env['VISUAL'] || host.env['EDITOR'] || 'vi'
    // As git does: the variable may hold arguments.
    const child = spawn('sh', ['-c', `${editor} "$@"`, editor, file], { stdio: 'inherit', env: host.env })
    const [code] = (await once(child, 'exit')) as [number | null]
    if (code === 0) return readFileSync(file)
    throw new OperatorError('E_ENVIRONMENT', `${editor} ended with ${code ?? 'a signal'}; nothing was stored`, {
      subject: editor,
      next: 'EDITOR=nano tandem secrets edit PATH   uses another editor',
    })
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

import { readFileSync, statSync } from 'node:fs'
import { resolve } from 'node:path'
import { readVariables } from '../../definitions/variablesFile.ts'
import { mostSecretBytes, tooLarge } from '../../definitions/secrets/paths.ts'
import { mostReferences } from '../../definitions/secrets/references.ts'
import { refuseName } from '../../definitions/names.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { CommonFlags, Session } from '../session.ts'

type Variables = Record<string, string>

/** Stores the variables of a `SERVICE.env` file as one secret. Several files are those of several machines. */
export async function importSecrets(
  session: Session,
  { reason, replace }: CommonFlags & { reason?: string; replace: boolean },
  service: string,
  ...files: string[]
): Promise<number> {
  const refused = refuseName(service)
  if (refused !== null) throw misused(refused)
  const found = files.map((file) => ({ file, variables: readFrom(resolve(session.host.cwd, file), service) }))
  refuseDifferences(found)
  const variables = found[0]?.variables ?? {}
  const names = Object.keys(variables).sort()
  if (names.length === 0) throw misused(`${files.join(', ')} holds no variable`)
  if (names.length > mostReferences)
    throw misused(`${files[0]} holds ${names.length} variables; a service names at most ${mostReferences} secrets`)
  const fields = Object.fromEntries(names.map((name) => [name, Buffer.from(variables[name] ?? '').toString('base64')]))
  const path = `${service}/env`
  const { client } = await session.announce(`store the variables of ${service} as ${path}`)
  const body = { fields, replace: true, cas: replace ? null : 0, reason: reason ?? 'imported' }
  const stored = await client.call('putSecret', { params: { path }, body }, session.signal)
  session.out.result({ ...stored, names }, () =>
    [
      stored.changed ? `stored ${path}, version ${stored.version}` : `${path} has these values already`,
      '',
      `# Write this into the tandem.yaml of ${service}, and push it; then remove the files on the machines.`,
      'secrets:',
      ...names.map((name) => `  ${name}: { from: env#${name}, as: env }`),
    ].join('\n'),
  )
  return 0
}

/** Names what differs between the files of machines; never a value. */
function refuseDifferences(found: readonly { file: string; variables: Variables }[]): void {
  const names = [...new Set(found.flatMap(({ variables }) => Object.keys(variables)))].sort()
  const different = names.flatMap((name) => {
    const lacking = found.filter(({ variables }) => !Object.hasOwn(variables, name)).map(({ file }) => file)
    if (lacking.length > 0) return [`${name} is missing in ${lacking.join(', ')}`]
    return new Set(found.map(({ variables }) => variables[name])).size > 1 ? [`${name} has different values`] : []
  })
  if (different.length === 0) return
  throw new OperatorError('E_USAGE', `the files differ: ${different.join('; ')}`, {
    subject: 'tandem secrets import',
    next: 'make them equal, or import the right one alone',
  })
}

function readFrom(path: string, service: string): Variables {
  try {
    if (statSync(path).size > mostSecretBytes) throw tooLarge(path, mostSecretBytes)
    return readVariables(readFileSync(path, 'utf8'), path, service)
  } catch (cause) {
    if (cause instanceof OperatorError) throw cause
    throw misused(`cannot read ${path}: ${cause instanceof Error ? cause.message : String(cause)}`)
  }
}

const misused = (what: string): OperatorError =>
  new OperatorError('E_USAGE', what, {
    subject: 'tandem secrets import',
    next: 'copy /etc/tandem/env/SERVICE.env of each machine to this computer, and name the copies',
  })

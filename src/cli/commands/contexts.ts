import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { OperatorError } from '../../lib/operatorError.ts'
import { renderTable } from '../render/table.ts'
import type { CommonFlags, Session } from '../session.ts'

export async function listContexts({ out, contexts }: Session, _flags: CommonFlags): Promise<number> {
  const current = contexts.current()
  const listed = contexts.list().map((name) => ({ name, current: name === current, url: contexts.get(name).url }))
  out.result({ contexts: listed }, () => {
    if (listed.length === 0) return 'no contexts yet: tandem up makes one, tandem context add NAME another'
    const rows = listed.map(({ name, current: isCurrent, url }) => [isCurrent ? '*' : '', name, url])
    return renderTable(['', 'CONTEXT', 'CONTROLLER'], rows, out.paint).join('\n')
  })
  return 0
}

export async function useContext({ out, contexts }: Session, _flags: CommonFlags, name: string): Promise<number> {
  contexts.use(name)
  out.result({ context: name }, () => `${name} is the current context: ${contexts.get(name).url}`)
  return 0
}

export async function addContext(
  session: Session,
  flags: CommonFlags & { url: string; tokenFile?: string },
  name: string,
): Promise<number> {
  const { out, contexts } = session
  const url = checkedUrl(flags.url)
  contexts.set(name, { url, token: tokenOf(session, flags.tokenFile) })
  const first = contexts.current() === null
  if (first) contexts.use(name)
  out.result(
    { context: name, url, current: first },
    () => `${name} is ${url}${first ? '; it is the current context' : ''}`,
  )
  return 0
}

export async function removeContext({ out, contexts }: Session, _flags: CommonFlags, name: string): Promise<number> {
  contexts.remove(name)
  out.result({ removed: name }, () => `${name} is forgotten`)
  return 0
}

function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url && (url.protocol === 'http:' || url.protocol === 'https:')) return text.replace(/\/+$/, '')
  throw new OperatorError('E_USAGE', `--url cannot be "${text}"`, {
    subject: '--url',
    next: "the controller's address, such as http://10.0.0.10:7480",
  })
}

/** Never from the command line itself, which every user of the machine can read. */
function tokenOf({ host }: Session, file: string | undefined): string {
  const text =
    file === undefined
      ? (host.env['TANDEM_TOKEN'] ?? '')
      : readFileSync(file === '-' ? 0 : resolve(host.cwd, file), 'utf8')
  const token = text.trim()
  if (/^\S{10,200}$/.test(token)) return token
  throw new OperatorError('E_USAGE', file === undefined ? 'no token was given' : 'that file holds no token', {
    subject: file ?? 'TANDEM_TOKEN',
    next: 'make one on the controller (tandem controller token create) and give it by --token-file FILE or TANDEM_TOKEN',
  })
}

import { readFileSync } from 'node:fs'
import { resolve } from 'node:path'
import { fingerprint } from '../../identity/certificate.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { connectTo, trusted } from '../connect.ts'
import type { Chosen, KnownCluster } from '../contexts.ts'
import { invitationTo } from '../invitation.ts'
import { renderTable } from '../render/table.ts'
import type { CommonFlags, Session } from '../session.ts'

export async function listContexts({ out, contexts }: Session, _flags: CommonFlags): Promise<number> {
  const current = contexts.current()
  const listed = contexts.list().map((name) => ({ name, current: name === current, url: contexts.get(name).url }))
  out.result({ contexts: listed }, () => {
    if (listed.length === 0)
      return 'no contexts yet; tandem up starts a cluster here, tandem context add NAME --url URL adds a remote one'
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

type AddFlags = CommonFlags & { url: string; pin?: string; tokenFile?: string }

/** Saves a context after checking it: the controller is the right one, answers, and accepts the token. */
export async function addContext(session: Session, flags: AddFlags, name: string): Promise<number> {
  const { out, contexts } = session
  contexts.mustBeName(name)
  const url = checkedUrl(flags.url)
  const cluster = await checked(session, { url, token: tokenOf(session, flags.tokenFile) }, flags.pin)
  contexts.set(name, cluster.known)
  const first = contexts.current() === null
  if (first) contexts.use(name)
  out.result(
    { context: name, url, cluster: cluster.name, current: first },
    () => `saved context ${name}: ${url}, cluster ${cluster.name}${first ? '; it is now the current context' : ''}`,
  )
  return 0
}

/** Shows a context; with `--invite`, prints the command that creates it on another computer. */
export async function showContext(
  session: Session,
  flags: CommonFlags & { invite: boolean },
  name?: string,
): Promise<number> {
  const { out, contexts } = session
  const shown: Chosen = name === undefined ? session.chosen() : { context: name, ...contexts.get(name) }
  const { context, url, authority } = shown
  const pin = authority === undefined ? (shown.pin ?? null) : fingerprint(authority)
  const current = context !== null && context === contexts.current()
  if (!flags.invite) {
    out.result({ context, url, pin, current }, () => {
      const rows = [
        ['context', `${context ?? '(from TANDEM_URL)'}${current ? ' (current)' : ''}`],
        ['controller', url],
        ['fingerprint', pin ?? '- (this context trusts no cluster authority)'],
      ]
      return rows.map(([label, value]) => `${label?.padEnd(12)}${value}`).join('\n')
    })
    return 0
  }
  const invite = invitationTo(shown)
  out.result({ context, url, pin, current, invite }, () => invite)
  out.note('anyone who has this command has all permissions of this context: the command contains its token')
  out.note('  to give a colleague fewer permissions, or access you can revoke, create a separate token:')
  out.note('    tandem controller token create --role reader --name NAME')
  if (isThisComputer(url))
    out.warn(`${url} is an address of this computer only; the command works on no other computer`)
  return 0
}

export async function removeContext({ out, contexts }: Session, _flags: CommonFlags, name: string): Promise<number> {
  contexts.remove(name)
  out.result({ removed: name }, () => `removed context ${name}`)
  return 0
}

/** Sends the controller a request that needs the token, before anything is saved. */
async function checked(
  { signal }: Session,
  unchecked: KnownCluster,
  pin: string | undefined,
): Promise<{ name: string; known: KnownCluster }> {
  try {
    const known = await trusted({ ...unchecked, pin })
    const client = await connectTo(known)
    const { cluster } = await client.call('status', {}, signal)
    return { name: cluster, known }
  } catch (error) {
    if (!(error instanceof OperatorError)) throw error
    throw new OperatorError(error.code, `${error.message}; the context was not saved`, {
      ...{ subject: unchecked.url, cause: error },
      next: error.code === 'E_UNAUTHORIZED' || error.code === 'E_TOKEN_UNKNOWN' ? newToken : (error.next ?? undefined),
    })
  }
}

const newToken =
  'on a computer whose context works: tandem controller token create --role operator --name NAME, or tandem context show --invite'

function checkedUrl(text: string): string {
  const url = URL.canParse(text) ? new URL(text) : null
  if (url && (url.protocol === 'http:' || url.protocol === 'https:')) return text.replace(/\/+$/, '')
  throw new OperatorError('E_USAGE', `--url cannot be "${text}"`, {
    subject: '--url',
    next: 'use the address of the controller, such as --url https://10.0.0.10:7480',
  })
}

const isThisComputer = (url: string): boolean => /^(localhost|127\..*|\[::1\])$/.test(new URL(url).hostname)

/** Reads the token from a file or the environment, never from arguments, which every user of the machine can read. */
function tokenOf({ host }: Session, file: string | undefined): string {
  const text =
    file === undefined
      ? (host.env['TANDEM_TOKEN'] ?? '')
      : readFileSync(file === '-' ? 0 : resolve(host.cwd, file), 'utf8')
  const token = text.trim()
  if (/^\S{10,200}$/.test(token)) return token
  throw new OperatorError('E_USAGE', file === undefined ? 'no token was given' : 'the file holds no token', {
    subject: file ?? 'TANDEM_TOKEN',
    next: 'create one where a context works (tandem controller token create), and pass it by --token-file FILE or TANDEM_TOKEN',
  })
}

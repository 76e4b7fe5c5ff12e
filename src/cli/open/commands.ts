import { once } from 'node:events'
import type { ApiClient } from '../../api/client.ts'
import { asOperatorError } from '../../lib/asOperatorError.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { newerCall } from '../tooOld.ts'
import { trusted } from '../connect.ts'
import type { CommonFlags, Session } from '../session.ts'
import { browserProgram, Redirection, showFile } from './browser.ts'
import { directPort, linkTo, pageUrl, portFor } from './pageAddress.ts'
import { Tunnel } from './tunnel.ts'
import { TunnelRecord } from './tunnelRecord.ts'

type OpenFlags = CommonFlags & { noBrowser: boolean; port?: number }

/** Opens the page. For a controller elsewhere, carries the page until Ctrl-C. */
export async function openPage(session: Session, flags: OpenFlags, path: string): Promise<number> {
  const { context, url } = session.chosen()
  const direct = directPort(url)
  if (direct !== null && flags.port !== undefined && flags.port !== direct) {
    throw new OperatorError('E_USAGE', `the page is at port ${direct} of this computer already`, {
      subject: '--port',
      next: 'omit --port',
    })
  }
  const port = flags.port ?? direct ?? portFor(context ?? url)
  const page = pageUrl(port, path)
  const client = await session.client()
  if (direct !== null) {
    await show(session, client, page, { ...flags, tunnel: null })
    return 0
  }
  const { interrupts, out, folders } = session
  const record = new TunnelRecord(folders.state, port)
  const carrier = record.carriedBy(url)
  if (carrier !== null) {
    await show(session, client, page, { ...flags, tunnel: carrier })
    return 0
  }
  const target = await trusted(session.chosen())
  const carried = await Tunnel.open(port, target, (reason) => out.warn(`the controller cannot be reached: ${reason}`))
  const tunnel = record.take(url)
  try {
    await show(session, client, page, { ...flags, tunnel })
    out.note(`carrying the page of ${url} at ${page.origin} until Ctrl-C`)
    if (!interrupts.signal.aborted) await once(interrupts.signal, 'abort')
  } finally {
    record.drop()
    new Redirection(folders.state).remove()
    // Before the port is free: an open page would send its key to whoever takes it.
    await endSessions(client, tunnel).catch((error: unknown) => {
      out.warn(`the sessions of the page stay for 12 h at most: ${asOperatorError(error).message}`)
    })
    await carried.close()
  }
  // SIGTERM is how a supervisor stops this command, so it exits with 0.
  return interrupts.exitCode() === 143 ? 0 : interrupts.exitCode()
}

/** Longest time that the end of the command waits for the controller. */
const endMs = 3_000

const endSessions = (client: ApiClient, tunnel: string): Promise<unknown> =>
  client.call('endTunnelSessions', { params: { tunnel } }, AbortSignal.timeout(endMs))

interface Shown {
  noBrowser: boolean
  /** Id of the tunnel that carries the page. */
  tunnel: string | null
}

async function show(session: Session, client: ApiClient, page: URL, { noBrowser, tunnel }: Shown): Promise<void> {
  const { out, host, signal } = session
  const query = tunnel === null ? {} : { tunnel }
  const { link, expiresAt } = await newerCall(client, 'makeLink', { query }, { lacks: 'no page', signal })
  const whole = linkTo(page, link)
  const program = noBrowser ? null : browserProgram(host.env, process.platform)
  const shown =
    program !== null && (await showFile(program, new Redirection(session.folders.state).write(whole), host.env))
  if (!shown && !noBrowser) {
    out.note(
      program === null
        ? 'this session has no browser; open the link in yours'
        : `${program} could not show the page; open the link in your browser`,
    )
  }
  const told = { url: page.href, link: shown ? null : whole, expiresAt, shown }
  out.result(told, () => (shown ? `opened ${page.href}` : whole))
  if (!shown) out.note('the link works once, within a minute')
}

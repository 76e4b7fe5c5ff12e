import type { ApiClient } from '../../api/client.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { Answer } from '../../protocol/ask.ts'
import { SeenLines } from '../../lib/seenLines.ts'
import { parseSince } from '../duration.ts'
import { contactLimitMs, Outage } from '../follow/contact.ts'
import { aboutWords, keptWords } from '../lastWords/lastWords.ts'
import { logLine } from '../render/logLine.ts'
import type { CommonFlags, Session } from '../session.ts'
import { noSuchService } from '../noSuchService.ts'

type LogFlags = CommonFlags & { follow: boolean; since?: string; last?: number; machine?: string; instance?: string }

export async function logs(session: Session, flags: LogFlags, service: string): Promise<number> {
  const { out, signal } = session
  const client = await session.client()
  await checkService(client, service, signal)
  const asked = { ...flags, since: sinceOf(flags.since), service }
  const code = await (flags.follow ? follow(session, client, asked) : once(session, client, asked))
  if (code !== 0) out.warn('could not read all output; see the errors above')
  return signal.aborted ? session.interrupts.exitCode() : code
}

type Asked = Omit<LogFlags, 'since'> & { since: string | undefined; service: string }

async function once(session: Session, client: ApiClient, asked: Asked): Promise<number> {
  let [code, lines] = [0, 0]
  try {
    for await (const answer of read(session, client, asked)) {
      if (answer.kind === 'line') lines += 1
      if (!show(session, answer)) code = 1
    }
  } catch (error) {
    if (isGone(error) && (await showKept(session, client, asked))) return 0
    throw error
  }
  // The machine may be gone, or may keep no output of the instance any more.
  if (lines === 0) await showKept(session, client, asked)
  return code
}

const isGone = (error: unknown): boolean => error instanceof OperatorError && error.code === 'E_NO_SUCH_INSTANCE'

/** Shows the lines that a machine sent when the instance failed. Returns false if there are none. */
async function showKept(session: Session, client: ApiClient, { service, instance, last }: Asked): Promise<boolean> {
  const words = instance === undefined ? null : await keptWords(client, { service, instance }, session.signal)
  if (words === null) return false
  session.out.note(aboutWords(words))
  for (const line of last === undefined ? words.lines : words.lines.slice(-last)) {
    show(session, { kind: 'line', service, instance: words.instance, ...line })
  }
  return true
}

/** Continues after the last line it has seen when the controller, or the one machine it reads from, restarts. */
async function follow(session: Session, client: ApiClient, asked: Asked): Promise<number> {
  const { out, signal } = session
  let said = ''
  const onLost = (): void => out.note(said ? 'retrying' : 'lost contact with the controller; retrying')
  const outage = new Outage({ signal, onLost })
  const seen = new SeenLines()
  for (let from: Asked = asked; !signal.aborted;) {
    const openedAt = performance.now()
    // A stream that stayed open this long counts as contact, even if it carried nothing.
    const wait = (error: unknown): Promise<void> => {
      if (performance.now() - openedAt > contactLimitMs) outage.over()
      return outage.wait(error)
    }
    try {
      for await (const answer of read(session, client, from)) {
        // An unreachable machine is no contact. It is reported once, not at each retry.
        if (answer.kind !== 'error') outage.over()
        const isRepeated = answer.kind === 'error' && answer.message === said
        said = answer.kind === 'error' ? answer.message : ''
        if (isRepeated || (answer.kind === 'line' && seen.add(answer))) continue
        show(session, answer)
      }
      if (signal.aborted) break
      const message = said || 'the controller ended the stream'
      await wait(new OperatorError('E_CONTROLLER_UNREACHABLE', message, { subject: client.endpoint.url }))
    } catch (error) {
      if (signal.aborted) break
      await wait(error)
    }
    seen.resume()
    from = { ...asked, last: undefined, since: seen.newest ?? asked.since ?? new Date().toISOString() }
  }
  return 0
}

async function* read(session: Session, client: ApiClient, asked: Asked): AsyncGenerator<Answer> {
  const { service, machine, since, last, follow: on } = asked
  const query = { service, machine, instance: asked.instance, since, last, follow: on ? 'true' : 'false' } as const
  for await (const { data } of client.stream('logs', { query }, { signal: session.signal })) {
    yield data
    await session.out.room()
  }
}

/** Returns false if the answer is an error. */
function show({ out }: Session, answer: Answer): boolean {
  switch (answer.kind) {
    case 'line': {
      const { at, service, stream, text } = answer
      out.object({ at, service, instance: answer.instance, stream, text })
      out.line(logLine(answer, { paint: out.paint }))
      return true
    }
    case 'error':
      out.note(`${out.paintNote('red', 'error:')} ${answer.message} ${out.paintNote('dim', `(${answer.code})`)}`)
      return false
    case 'exit':
    case 'end':
    case 'clock':
    case 'checkup':
    case 'numbers':
    case 'requirements':
    case 'rendered':
    case 'over':
      return true
  }
}

function sinceOf(text: string | undefined): string | undefined {
  if (text === undefined) return undefined
  const since = parseSince(text, Date.now())
  if (since !== null) return since
  throw new OperatorError('E_USAGE', `--since cannot be "${text}"`, {
    subject: '--since',
    next: 'use a duration such as 10m or 2h, or a time such as 2026-11-21T02:00:00Z',
  })
}

/** Throws for an unknown service; without this check, a misspelt name would look like a service without output. */
async function checkService(client: ApiClient, service: string, signal: AbortSignal): Promise<void> {
  const { services } = await client.call('status', {}, signal)
  if (services.some((one) => one.service === service)) return
  const { releases } = await client.call('releases', { query: { service } }, signal)
  if (releases.length > 0) return
  throw noSuchService(
    service,
    services.map((one) => one.service),
  )
}

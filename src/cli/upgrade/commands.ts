import { resolve } from 'node:path'
import type { ApiClient } from '../../api/client.ts'
import { ObjectsClient } from '../../api/objectsClient.ts'
import type { UpgradeView } from '../../api/upgrade.ts'
import { parseDefinition } from '../../definitions/parseDefinition.ts'
import { sleep, systemClock } from '../../lib/clock.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { isCheckout, programFolder } from '../../lib/programFolder.ts'
import { describeFolder } from '../../releases/describeFolder.ts'
import { publish } from '../../releases/publish.ts'
import { showSeconds } from '../duration.ts'
import { throughOutages } from '../follow/contact.ts'
import { openProgram } from './newProgram.ts'
import { ProgressLine } from '../progressLine.ts'
import { showBytes } from '../render/names.ts'
import { renderTable } from '../render/table.ts'
import type { CommonFlags, Session } from '../session.ts'

/** Name under which the release store keeps Tandem itself. */
const service = 'tandem-program'
const lookMs = 300
/** Time for the controller to switch its own version, try it for a minute, and perhaps roll back. */
const outageMs = 180_000

export async function upgrade(
  session: Session,
  { show }: CommonFlags & { show: boolean },
  from?: string,
): Promise<number> {
  if (show) return showLast(session)
  const { host, folders } = session
  if (from === undefined && isCheckout) {
    const next = 'tandem upgrade tandem-VERSION-linux-x64.tar.gz   (make dist builds the archive)'
    throw new OperatorError('E_USAGE', 'this program runs from a source checkout; name the archive to upgrade to', {
      subject: programFolder,
      next,
    })
  }
  await using program = await openProgram(from === undefined ? programFolder : resolve(host.cwd, from), folders.cache)
  const { version, folder } = program
  const { client } = await session.announce(`upgrade Tandem itself to ${version}`)
  const release = await publishProgram(session, client, folder)
  const { upgrade: started } = await client.call('startUpgrade', { body: { release, version } }, session.signal)
  if (started?.release !== release || started.finishedAt !== null) {
    session.out.result({ upgrade: null, version }, () => `every part runs ${version} already`)
    return 0
  }
  return follow(session, client, started)
}

async function showLast(session: Session): Promise<number> {
  const { out, signal } = session
  const client = await session.client()
  const { upgrade: last } = await client.call('upgrade', {}, signal)
  out.result({ upgrade: last }, () => (last ? shown(last, out) : 'there has been no upgrade yet'))
  return 0
}

async function publishProgram({ out, folders, signal }: Session, client: ApiClient, folder: string): Promise<string> {
  const { definition } = parseDefinition(`service: ${service}\nrun: ./bin/tandem\nlisten: none\n`, 'upgrade')
  const description = await describeFolder(folder, { definition, cacheFolder: folders.cache, signal })
  const line = new ProgressLine(out)
  try {
    const { sentBytes } = await publish(description, new ObjectsClient(client), {
      signal,
      onProgress: ({ sentBytes: sent }) => line.show(`sending  ${showBytes(sent)}`),
    })
    line.clear()
    out.note(`${showBytes(description.bytes)}; ${showBytes(sentBytes)} sent`)
  } finally {
    line.clear()
  }
  return description.id
}

/** Reports the state of each part until the upgrade ends. Ctrl-C does not stop the upgrade. */
async function follow(session: Session, client: ApiClient, first: UpgradeView): Promise<number> {
  const { out, signal } = session
  const contact = {
    signal,
    limitMs: outageMs,
    onLost: () => out.note('  the controller is unreachable; it may be switching to the new version'),
  }
  const told = new Map<string, string>()
  let last = first
  try {
    for (;;) {
      tell(session, last, told)
      if (last.finishedAt !== null) break
      await sleep(systemClock, lookMs, signal)
      signal.throwIfAborted()
      const { upgrade: now } = await throughOutages(() => client.call('upgrade', {}, signal), contact)
      if (now?.id !== first.id)
        throw new OperatorError('E_UPGRADE_IN_PROGRESS', `another upgrade has begun since ${first.id}`, {
          subject: first.id,
          next: 'tandem upgrade --show   shows the newest',
        })
      last = now
    }
  } catch (error) {
    if (!signal.aborted) throw error
    out.note(`the upgrade continues; tandem upgrade --show   shows its state`)
    return session.interrupts.exitCode()
  }
  out.result({ upgrade: last }, () => outcome(last, out))
  return last.state === 'completed' ? 0 : 1
}

function tell({ out }: Session, { parts }: UpgradeView, told: Map<string, string>): void {
  for (const { part, state, reason } of parts) {
    if (state === 'waiting' || told.get(part) === state) continue
    told.set(part, state)
    out.note(`  ${nameOf(part)}  ${state === 'running' ? 'switching' : state}${reason === null ? '' : `: ${reason}`}`)
  }
}

const nameOf = (part: string): string => (part === '@controller' ? 'controller' : part)

function outcome({ version, state, reason, startedAt, finishedAt }: UpgradeView, out: Session['out']): string {
  const took = showSeconds(Date.parse(finishedAt ?? startedAt) - Date.parse(startedAt))
  if (state === 'completed') return `${out.paint('green', 'done')}  Tandem is ${version} everywhere, in ${took}`
  return `${out.paint('red', 'reverted')}  ${reason ?? 'the upgrade failed'} (after ${took}); the previous version runs again, and no service was touched`
}

function shown(last: UpgradeView, out: Session['out']): string {
  const rows = last.parts.map(({ part, from, state, reason }) => [nameOf(part), from, state, reason ?? ''])
  const head = `upgrade ${last.id} to ${last.version}: ${last.state}${last.reason === null ? '' : `: ${last.reason}`}`
  return [head, ...renderTable(['PART', 'FROM', 'STATE', ''], rows, out.paint)].join('\n')
}

import { Readable } from 'node:stream'
import { attached } from '../attached.ts'
import type { CommonFlags, Session } from '../session.ts'

type RunFlags = CommonFlags & { machine?: string; noStdin: boolean }

/** Runs a one-off command with the release of a service: see `attached`. */
export async function runOnce(
  session: Session,
  { machine, noStdin }: RunFlags,
  service: string,
  ...argv: string[]
): Promise<number> {
  const { client } = await session.announce(`run ${argv.join(' ')} as ${service}`)
  const body = { argv, machine: machine ?? null }
  const { channel } = await client.call('openCommand', { params: { service }, body }, session.signal)
  return attached(session, client, channel, { service, input: noStdin ? Readable.from([]) : session.host.stdin() })
}

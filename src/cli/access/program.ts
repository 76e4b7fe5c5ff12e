import { Readable } from 'node:stream'
import { OperatorError } from '../../lib/operatorError.ts'
import { attached } from '../attached.ts'
import type { CommonFlags, Session } from '../session.ts'
import { heldRaw, terminalOf } from './terminal.ts'

export async function runBeside(
  session: Session,
  { noStdin }: CommonFlags & { noStdin: boolean },
  instance: string,
  ...argv: string[]
): Promise<number> {
  const { client } = await session.announce(`run ${argv.join(' ')} beside ${instance}`)
  const { channel, service } = await client.call('openAccess', { body: { instance, argv } }, session.signal)
  const input = noStdin ? Readable.from([]) : session.host.stdin()
  return attached(session, client, channel, { service, input })
}

export async function openShell(
  session: Session,
  { instance, json }: CommonFlags & { instance?: string },
  service: string,
  ...argv: string[]
): Promise<number> {
  const terminal = json ? null : terminalOf(session.host)
  if (terminal === null) {
    const why = json ? 'a shell has no output for programs' : 'standard input and output must be a terminal'
    throw new OperatorError('E_USAGE', why, {
      subject: 'tandem shell',
      next: 'tandem exec INSTANCE -- sh -c COMMAND   runs a command without a terminal; tandem status shows the instances',
    })
  }
  const { client } = await session.announce(`open a shell beside ${instance ?? `an instance of ${service}`}`)
  const body = {
    ...{ service, instance: instance ?? null, argv: argv.length > 0 ? argv : null },
    terminal: { ...terminal.size(), type: terminal.type },
  }
  const opened = await client.call('openAccess', { body }, session.signal)
  session.out.note(`${opened.instance} on machine ${opened.machine}`)
  const { host } = session
  return attached(session, client, opened.channel, {
    ...{ service, input: terminal.input },
    begun: (channel) =>
      heldRaw(terminal, host, (size) => void channel.send({ kind: 'resize', ...size }).catch(() => {})),
  })
}

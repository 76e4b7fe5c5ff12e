import { constants } from 'node:os'
import { OperatorError } from '../../lib/operatorError.ts'
import { errorCodes, type ErrorCode } from '../../lib/errorCodes.ts'
import type { CommonFlags, Session } from '../session.ts'

/** Its output and exit status become ours; with `--json`, a line for each and `{"exit":…}` last. */
export async function runOnce(
  session: Session,
  { machine }: CommonFlags & { machine?: string },
  service: string,
  ...argv: string[]
): Promise<number> {
  const { out, signal } = session
  const { client } = await session.announce(`run ${argv.join(' ')} as ${service}`)
  const query = { argv: JSON.stringify(argv), machine }
  for await (const { data } of client.stream('run', { params: { service }, query }, { signal })) {
    switch (data.kind) {
      case 'line': {
        const { at, instance, stream, text } = data
        if (stream === 'tandem' && /^(started|ended): /.test(text)) break // people ran it; they know
        if (out.json) out.object({ at, service, instance, stream, text })
        else out.raw(stream === 'out' ? 'out' : 'err', `${text}\n`)
        await out.room()
        break
      }
      case 'exit':
        out.object({ exit: { code: data.code, signal: data.signal } })
        if (data.signal !== null) out.note(`it was ended by ${data.signal}`)
        return data.code ?? shellStatus(data.signal)
      case 'error':
        throw new OperatorError(knownCode(data.code), data.message, {
          subject: service,
          next: `tandem status ${service}`,
        })
      case 'end':
      case 'clock':
      case 'checkup':
        break
    }
  }
  if (signal.aborted) return session.interrupts.exitCode()
  throw new OperatorError('E_MACHINE_UNREACHABLE', 'the answer ended before the command did', {
    subject: service,
    next: `whether it went on is not known: tandem logs ${service} --since 5m`,
  })
}

/** As a shell says it: 128 and the signal's number. */
function shellStatus(name: string | null): number {
  const known: Record<string, number> = constants.signals
  return 128 + (known[name ?? ''] ?? 0)
}

const knownCode = (code: string): ErrorCode => (code in errorCodes ? (code as ErrorCode) : 'E_BUG') // checked by `in`

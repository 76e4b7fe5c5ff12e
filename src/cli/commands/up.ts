import { resolve } from 'node:path'
import { once } from 'node:events'
import { OperatorError } from '../../lib/operatorError.ts'
import { DataLock } from '../../laptop/dataLock.ts'
import { startLaptop, type Laptop } from '../../laptop/laptopCluster.ts'
import { knownMachines } from '../../laptop/laptopTokens.ts'
import { selfCommand } from '../../lib/selfCommand.ts'
import { renderUp } from '../render/up.ts'
import type { CommonFlags, Session } from '../session.ts'

type UpFlags = CommonFlags & { machines?: number; data?: string; port: number; entryPort: number }

const defaultMachines = 2

export async function up(session: Session, flags: UpFlags): Promise<number> {
  const { host, folders, interrupts } = session
  const data = resolve(host.cwd, flags.data ?? folders.state)
  const lock = DataLock.take(data)
  try {
    const machines = machineNames(data, flags.machines)
    const laptop = await startLaptop({
      ...{ data, machines, port: flags.port, entryPort: flags.entryPort },
      ...{ self: selfCommand(), env: host.env, signal: interrupts.signal },
      onNews: (text) => session.out.warn(text),
    })
    interrupts.forced.addEventListener('abort', () => laptop.kill())
    try {
      await report(session, laptop, data, flags.context ?? 'local')
      if (!interrupts.signal.aborted) await once(interrupts.signal, 'abort')
    } finally {
      session.out.note('\nstopping everything in order; press Ctrl-C again to stop at once')
      await laptop.stop()
    }
    // SIGTERM is how a supervisor stops this command, so it exits with 0.
    return interrupts.exitCode() === 143 ? 0 : interrupts.exitCode()
  } finally {
    lock.release()
  }
}

/**
 * Names a, b, …: as many as requested, else as many as the data folder has. With fewer machines than before, services
 * would be left on machines that no longer exist.
 */
function machineNames(data: string, asked: number | undefined): string[] {
  const known = knownMachines(data)
  const many = asked ?? Math.max(defaultMachines, known.length)
  if (known.length > many) {
    throw new OperatorError(
      'E_USAGE',
      `the data folder has the machines ${known.join(', ')}; it cannot run with fewer`,
      {
        subject: data,
        next: `tandem up --machines ${known.length}, or use another folder: --data DIR`,
      },
    )
  }
  return Array.from({ length: many }, (_, index) => String.fromCharCode('a'.charCodeAt(0) + index))
}

async function report(
  { out, contexts, signal }: Session,
  laptop: Laptop,
  data: string,
  context: string,
): Promise<void> {
  const { endpoint, client, entries, notServing } = laptop
  const before = contexts.list().includes(context) ? contexts.get(context).url : null
  contexts.set(context, { url: endpoint.url, token: endpoint.token })
  if (contexts.current() === null) contexts.use(context)
  const current = contexts.current() === context
  out.object({ event: 'ready', context, controller: endpoint.url, entries, data, notServing })
  if (out.json) return
  const status = await client.call('status', {}, signal)
  const replaced = before === endpoint.url ? null : before
  out.line(renderUp({ status, entries, controller: endpoint.url, data, context, current, replaced, paint: out.paint }))
  for (const service of notServing) out.warn(`${service} is not ready yet: tandem status ${service}`)
}

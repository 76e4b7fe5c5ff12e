import type { ApiClient } from '../../api/client.ts'
import type { MachineStatus } from '../../api/views.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import { featureMachineLines } from '../features.ts'
import { throughOutages } from '../follow/contact.ts'
import { machineLines } from '../render/status.ts'
import { inOneLine } from '../../api/standingProblem.ts'
import { problemsOf } from '../../problems/problemsOf.ts'
import type { CommonFlags, Session } from '../session.ts'

export async function machines(session: Session, _flags: CommonFlags): Promise<number> {
  const { out, signal } = session
  const client = await session.client()
  const status = await client.call('status', {}, signal)
  out.result({ machines: status.machines }, () => {
    const problems = problemsOf({ ...status, services: [] }).map(
      (problem) => `${out.paint('red', '!')} ${inOneLine(problem)}`,
    )
    const lines = machineLines(status.machines, Date.now(), out.paint)
    return [
      ...(lines.length > 0
        ? lines
        : ['no machines yet; tandem machine add NAME prints the command that makes a machine join']),
      ...featureMachineLines(status, Date.now(), out.paint),
      ...problems,
    ].join('\n')
  })
  return 0
}

export async function drainMachine(
  session: Session,
  { force, stop }: CommonFlags & { force: boolean; stop: boolean },
  machine: string,
): Promise<number> {
  const { client } = await session.announce(`drain machine ${machine}${stop ? ' and stop its services' : ''}`)
  const { position } = await client.call('drainMachine', { params: { machine }, body: { force, stop } }, session.signal)
  return reached(session, client, machine, 'drained', position)
}

export async function readyMachine(session: Session, _flags: CommonFlags, machine: string): Promise<number> {
  const { client } = await session.announce(`put machine ${machine} back in traffic`)
  const { position } = await client.call('readyMachine', { params: { machine } }, session.signal)
  return reached(session, client, machine, 'ready', position)
}

type Wanted = 'drained' | 'ready'

/** Waits, event by event, until the machine is in that state, lost or not. Ctrl-C does not cancel the request. */
async function reached(
  session: Session,
  client: ApiClient,
  machine: string,
  wanted: Wanted,
  position: number,
): Promise<number> {
  const { out, signal } = session
  const told = { signal, onLost: () => out.note('lost contact with the controller; retrying for 30 s') }
  try {
    const { name, state } = await throughOutages(() => waitFor(client, machine, wanted, position, signal), told)
    const result = { machine: name, state, traffic: wanted }
    out.result(result, () => `${name} is ${wanted}${state === 'lost' ? '; it is lost: it does not report' : ''}`)
    return 0
  } catch (error) {
    if (!signal.aborted) throw error
    out.note(`the request continues; tandem machines   shows when ${machine} is ${wanted}`)
    return session.interrupts.exitCode()
  }
}

async function waitFor(
  client: ApiClient,
  machine: string,
  wanted: Wanted,
  position: number,
  signal: AbortSignal,
): Promise<MachineStatus> {
  const look = async (atLeast: number): Promise<MachineStatus | null> => {
    const { machines: all } = await client.call('status', { query: { atLeast } }, signal)
    const found = all.find((one) => one.name === machine)
    return isReached(found, machine, wanted) ? found : null
  }
  const now = await look(position)
  if (now) return now
  const query = { after: position, follow: 'true' } as const
  for await (const { data } of client.stream('events', { query }, { signal })) {
    const then = data.data['machine'] === machine ? await look(data.position) : null
    if (then) return then
  }
  signal.throwIfAborted()
  return waitFor(client, machine, wanted, position, signal)
}

/** Throws if the machine can no longer reach the wanted state. */
function isReached(found: MachineStatus | undefined, machine: string, wanted: Wanted): found is MachineStatus {
  if (!found) {
    throw new OperatorError(
      'E_NO_SUCH_MACHINE',
      `machine ${machine} was removed from the cluster while this command waited`,
      {
        subject: machine,
        next: 'tandem machines   lists the machines',
      },
    )
  }
  const { traffic = found.state } = found
  if (traffic === wanted) return true
  const isUndone = wanted === 'ready' ? traffic !== 'lost' : traffic === 'ready'
  if (!isUndone) return false
  throw new OperatorError('E_UNDONE', `machine ${machine} is ${traffic}, not ${wanted}: a later command changed it`, {
    subject: machine,
    next: 'tandem events   shows the order of the commands',
  })
}

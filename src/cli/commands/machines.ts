import type { ApiClient } from '../../api/client.ts'
import type { MachineStatus } from '../../api/views.ts'
import { throughOutages } from '../follow/contact.ts'
import { machineLines } from '../render/status.ts'
import { problemsOf } from '../render/statusProblems.ts'
import type { CommonFlags, Session } from '../session.ts'

export async function machines(session: Session, _flags: CommonFlags): Promise<number> {
  const { out, signal } = session
  const client = await session.client()
  const status = await client.call('status', {}, signal)
  out.result({ machines: status.machines }, () => {
    const problems = problemsOf({ ...status, services: [] }).map((problem) => `${out.paint('red', '!')} ${problem}`)
    const lines = machineLines(status.machines, Date.now(), out.paint)
    return [...(lines.length > 0 ? lines : ['no machines yet: an agent joins when it starts']), ...problems].join('\n')
  })
  return 0
}

export async function drainMachine(
  session: Session,
  { force, stop }: CommonFlags & { force: boolean; stop: boolean },
  machine: string,
): Promise<number> {
  const { client } = await session.announce(`drain machine ${machine}${stop ? ', and stop what runs there' : ''}`)
  const { position } = await client.call('drainMachine', { params: { machine }, body: { force, stop } }, session.signal)
  return reached(session, client, machine, 'drained', position)
}

export async function readyMachine(session: Session, _flags: CommonFlags, machine: string): Promise<number> {
  const { client } = await session.announce(`put machine ${machine} back in traffic`)
  const { position } = await client.call('readyMachine', { params: { machine } }, session.signal)
  return reached(session, client, machine, 'ready', position)
}

/** Waits, event by event, until the machine is in that state. Ctrl-C leaves what was asked going on. */
async function reached(
  session: Session,
  client: ApiClient,
  machine: string,
  state: MachineStatus['state'],
  position: number,
): Promise<number> {
  const { out, signal } = session
  const told = { signal, onLost: () => out.note('contact with the controller is lost; trying again for 30 s') }
  try {
    const found = await throughOutages(() => waitForState(client, machine, state, position, signal), told)
    out.result({ machine: found.name, state: found.state }, () => `${found.name} is ${found.state}`)
    return 0
  } catch (error) {
    if (!signal.aborted) throw error
    out.note(`it goes on without you; tandem machines shows when ${machine} is ${state}`)
    return session.interrupts.exitCode()
  }
}

async function waitForState(
  client: ApiClient,
  machine: string,
  state: MachineStatus['state'],
  position: number,
  signal: AbortSignal,
): Promise<MachineStatus> {
  const look = async (atLeast: number): Promise<MachineStatus | undefined> => {
    const status = await client.call('status', { query: { atLeast } }, signal)
    return status.machines.find((one) => one.name === machine)
  }
  const now = await look(position)
  if (now?.state === state) return now
  const query = { after: position, follow: 'true' } as const
  for await (const { data } of client.stream('events', { query }, { signal })) {
    const then = data.data['machine'] === machine ? await look(data.position) : undefined
    if (then?.state === state) return then
  }
  signal.throwIfAborted()
  return waitForState(client, machine, state, position, signal)
}

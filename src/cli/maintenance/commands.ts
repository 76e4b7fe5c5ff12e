import { readFile } from 'node:fs/promises'
import { basename, resolve } from 'node:path'
import { OperatorError } from '../../lib/operatorError.ts'
import { followMaintenance } from './followMaintenance.ts'
import { renderMaintenance, resumedLine } from './render.ts'
import type { CommonFlags, Session } from '../session.ts'

export async function rebootMachine(
  session: Session,
  { force }: CommonFlags & { force: boolean },
  machine: string,
): Promise<number> {
  const { client } = await session.announce(`reboot machine ${machine}`)
  const body = { kind: 'reboot' as const, machines: [machine], restart: true, force }
  const { maintenance, position } = await client.call('startMaintenance', { body }, session.signal)
  return followMaintenance(session, client, maintenance, beforeItBegan(position))
}

/** If the same maintenance runs already, the command follows it, and shows its earlier steps too. */
const beforeItBegan = (position: number): number => Math.max(0, position - 1_000)

type PatchFlags = CommonFlags & { all: boolean; script: string; within: number; noReboot: boolean; force: boolean }

export async function patchMachine(session: Session, flags: PatchFlags, machine?: string): Promise<number> {
  const { all, within: withinMs, noReboot, force } = flags
  if ((machine === undefined) !== all) {
    throw new OperatorError(
      'E_USAGE',
      all ? '--all patches every machine; do not name a machine as well' : 'name a machine, or use --all',
      {
        subject: 'tandem machine patch',
        next: 'tandem machine patch a --script FILE   or   tandem machine patch --all --script FILE',
      },
    )
  }
  const script = { ...(await readScript(session, flags.script)), withinMs }
  const { client } = await session.announce(`patch ${machine === undefined ? 'every machine' : `machine ${machine}`}`)
  const machines = machine === undefined ? [] : [machine]
  const body = { kind: 'patch' as const, machines, script, restart: !noReboot, force }
  const { maintenance, position } = await client.call('startMaintenance', { body }, session.signal)
  return followMaintenance(session, client, maintenance, beforeItBegan(position))
}

async function readScript({ host }: Session, file: string): Promise<{ name: string; text: string }> {
  const path = resolve(host.cwd, file)
  const cannotRun = (why: string): OperatorError =>
    new OperatorError('E_USAGE', `cannot read the script ${file} (${why})`, {
      subject: path,
      next: 'name a shell script, or one whose first line names its interpreter',
    })
  try {
    const text = await readFile(path, 'utf8')
    if (text.trim() !== '' && !text.includes('\0')) return { name: basename(path), text }
  } catch (cause) {
    throw cannotRun(cause instanceof Error ? cause.message : String(cause))
  }
  throw cannotRun('it is not text, or empty')
}

export async function showMaintenance(session: Session, _flags: CommonFlags): Promise<number> {
  const { out, signal } = session
  const { maintenance } = await (await session.client()).call('maintenance', {}, signal)
  out.result({ maintenance }, () =>
    maintenance ? renderMaintenance(maintenance, out.paint) : 'there has been no maintenance yet',
  )
  return 0
}

export async function resumeMaintenance(
  session: Session,
  { force }: CommonFlags & { force: boolean },
): Promise<number> {
  const { client, status } = await session.announce('resume maintenance')
  const { maintenance } = await client.call('resumeMaintenance', { body: { force } }, session.signal)
  session.out.note(resumedLine(maintenance))
  return followMaintenance(session, client, maintenance, status.controller.position)
}

export async function stopMaintenance(session: Session, _flags: CommonFlags): Promise<number> {
  const { client } = await session.announce('stop maintenance')
  const { maintenance } = await client.call('stopMaintenance', { body: {} }, session.signal)
  const { out } = session
  out.result({ maintenance }, () =>
    maintenance ? renderMaintenance(maintenance, out.paint) : 'there has been no maintenance yet',
  )
  return 0
}

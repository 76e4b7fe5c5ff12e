import { noteText } from '../../api/notes.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { CommonFlags, Session } from '../session.ts'
import { noteLines } from './render.ts'

export async function noteMachine(
  session: Session,
  { clear }: CommonFlags & { clear: boolean },
  machine: string,
  text?: string,
): Promise<number> {
  if (clear && text !== undefined) {
    throw new OperatorError('E_USAGE', '--clear removes the note; do not give a text as well', {
      subject: 'tandem machine note',
      next: `tandem machine note ${machine} TEXT   or   tandem machine note ${machine} --clear`,
    })
  }
  if (!clear && text === undefined) return show(session, machine)
  if (text !== undefined) checkText(machine, text)
  const { client } = await session.announce(
    clear ? `remove the note on machine ${machine}` : `note on machine ${machine}`,
  )
  const body = { text: text ?? null }
  const { position } = await client.call('noteMachine', { params: { machine }, body }, session.signal)
  session.out.result({ machine, ...body, position }, () => (clear ? 'removed' : 'noted'))
  return 0
}

/** The controller checks the same shape; its refusal names fields of the API. */
function checkText(machine: string, text: string): void {
  const checked = noteText.safeParse(text)
  if (checked.success) return
  const isEmpty = text.trim() === ''
  throw new OperatorError('E_USAGE', isEmpty ? 'the text is empty' : (checked.error.issues[0]?.message ?? ''), {
    subject: 'tandem machine note',
    next: isEmpty
      ? `tandem machine note ${machine} --clear   removes the note`
      : 'shorten the text to one line of at most 500 characters',
  })
}

async function show(session: Session, machine: string): Promise<number> {
  const { out, signal } = session
  const client = await session.client()
  const status = await client.call('status', {}, signal)
  const names = status.machines.map(({ name }) => name)
  if (!names.includes(machine)) {
    throw new OperatorError('E_NO_SUCH_MACHINE', `there is no machine ${machine}`, {
      subject: machine,
      next: `machines: ${names.join(', ') || 'none yet'}`,
    })
  }
  const notes = status.notes.filter((note) => note.machine === machine)
  out.result(
    { notes },
    () => noteLines({ ...status, notes }, Date.now(), out.paint)[0] ?? `machine ${machine} has no note`,
  )
  return 0
}

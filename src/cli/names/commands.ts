import type { Named } from '../../api/names.ts'
import { nearest } from '../../definitions/suggest.ts'
import { OperatorError } from '../../lib/operatorError.ts'
import type { CommonFlags, Session } from '../session.ts'
import { nameLines, resolvedLines } from './render.ts'

export async function showNames(session: Session, _flags: CommonFlags): Promise<number> {
  const names = await allNames(session)
  const { out } = session
  out.result({ names }, () => (names.length === 0 ? noNames : nameLines(names, out.paint).join('\n')))
  return 0
}

export async function resolveName(
  session: Session,
  { from }: CommonFlags & { from?: string },
  name: string,
): Promise<number> {
  const names = await allNames(session)
  const found = names.find((one) => [one.service, one.name, one.address].includes(name))
  if (!found) throw unknown(name, names)
  const machines = found.from.map(({ machine }) => machine)
  if (from !== undefined && !machines.includes(from)) {
    throw new OperatorError('E_NO_SUCH_MACHINE', `there is no machine ${from}`, {
      ...{ subject: from, next: `machines: ${machines.join(', ')}` },
    })
  }
  const shown = { ...found, from: found.from.filter(({ machine }) => from === undefined || machine === from) }
  const { out } = session
  out.result(shown, () => resolvedLines(shown, out.paint).join('\n'))
  return 0
}

const noNames =
  'no service can be called by name: give one a local route (docs/definition.md), or name it in `uses` of another'

async function allNames(session: Session): Promise<Named[]> {
  const client = await session.client()
  return (await client.call('names', {}, session.signal)).names
}

function unknown(name: string, names: readonly Named[]): OperatorError {
  const services = names.map(({ service }) => service)
  const near = nearest(name.replace(/\.tandem\.internal$/, ''), services)
  return new OperatorError('E_NO_SUCH_SERVICE', `no service answers to the name ${name}`, {
    subject: name,
    next: near === null ? 'tandem names   lists all names' : `did you mean ${near}? tandem names lists all names`,
  })
}

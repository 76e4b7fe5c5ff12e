import { OperatorError } from '../../lib/operatorError.ts'
import type { CommonFlags, Session } from '../session.ts'
import { mapLines } from './render.ts'

export async function showMap(
  session: Session,
  { svg, mermaid, json }: CommonFlags & { svg: boolean; mermaid: boolean },
): Promise<number> {
  if ([svg, mermaid, json].filter(Boolean).length > 1) {
    throw new OperatorError('E_USAGE', 'choose one of --svg, --mermaid and --json', { subject: 'tandem map' })
  }
  const client = await session.client()
  const map = await client.call('map', {}, session.signal)
  const { out } = session
  if (svg) out.line((await import('./svg.ts')).mapSvg(map))
  else if (mermaid) out.line((await import('./mermaid.ts')).mapMermaid(map))
  else out.result(map, () => mapLines(map, Date.now(), out.paint).join('\n'))
  return 0
}

import type { CommonFlags, Session } from '../session.ts'
import { guardLines, whyLines } from './render.ts'

export async function showFirewall(session: Session, _flags: CommonFlags): Promise<number> {
  const client = await session.client()
  const guard = await client.call('firewall', {}, session.signal)
  const { out } = session
  out.result(guard, () => guardLines(guard, Date.now(), out.paint).join('\n'))
  return 0
}

export async function whyFirewall(session: Session, _flags: CommonFlags, from: string, to: string): Promise<number> {
  const client = await session.client()
  const why = await client.call('firewallWhy', { query: { from, to } }, session.signal)
  const { out } = session
  out.result(why, () => whyLines(why, out.paint).join('\n'))
  return 0
}

import type { CommonFlags, Session } from '../session.ts'
import { runDemo } from '../demo/runDemo.ts'

export async function demo(session: Session, { keep }: CommonFlags & { keep: boolean }): Promise<number> {
  return runDemo(session, keep)
}

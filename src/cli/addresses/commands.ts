import { resolve } from 'node:path'
import { guardProgram } from '../../layout/addresses.ts'
import type { CommonFlags, Session } from '../session.ts'

export async function runGuard({ host }: Session, { data }: CommonFlags & { data: string }): Promise<number> {
  return host.entryPoints.runProgram(guardProgram, { data: resolve(host.cwd, data) })
}

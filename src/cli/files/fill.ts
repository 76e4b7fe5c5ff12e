import { fillProgram } from '../../layout/files.ts'
import type { CommonFlags, Session } from '../session.ts'

export async function runFill({ host }: Session, _flags: CommonFlags): Promise<number> {
  return host.entryPoints.runProgram(fillProgram, { data: host.cwd })
}

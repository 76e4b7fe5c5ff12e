import { join } from 'node:path'
import type { Jail } from '../../definitions/definition.ts'
import { fillProgram } from '../../layout/files.ts'
import { isCheckout, programFolder } from '../../lib/programFolder.ts'

interface Limits {
  timeoutMs: number
  heapMegabytes: number
}

/** A template loops in a process of its own: it can neither delay its caller nor take its memory. */
export const fillLimits: Limits = { timeoutMs: 30_000, heapMegabytes: 256 }

/** The program that fills in files. A jail may forbid memory that is written and executed, which a compiler needs. */
export function fillArgv({ heapMegabytes }: Pick<Limits, 'heapMegabytes'>, jail?: Jail): string[] {
  const main = join(programFolder, isCheckout ? 'src/main.ts' : 'lib/main.js')
  const options = [`--max-old-space-size=${heapMegabytes}`, ...(jail?.denyWriteExecute ? ['--jitless'] : [])]
  return [process.execPath, ...options, main, 'agent', fillProgram]
}

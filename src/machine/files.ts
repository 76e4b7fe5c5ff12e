import { fillProgram } from '../layout/files.ts'
import type { MachineSide } from './machineSide.ts'

/** The files of services, filled in from templates. */
export const files = {
  agent: async () => {
    const { unable } = await import('../agent/files/unable.ts')
    return () => ({ make: unable })
  },
  programs: {
    [fillProgram]: {
      run: async () => (await import('../templates/program.ts')).runFill(process.stdin, process.stdout),
    },
  },
} satisfies MachineSide

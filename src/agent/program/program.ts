import type { Report } from '../../protocol/report.ts'
import type { ProgramKeeper } from '../../versions/programKeeper.ts'
import type { MachineFeature } from '../machineFeature.ts'

/** The agent's own program, which an upgrade changes; `null` where an upgrade cannot change it. */
export const program = (keeper: ProgramKeeper | null): MachineFeature<Pick<Report, 'program'>> => ({
  // A state from disk may hold a request of an upgrade that is over.
  want: ({ program: wanted, orders }, isRestored) => {
    if (!isRestored) keeper?.want(wanted, orders.program)
  },
  // A new program works when the controller has answered its report.
  heard: (of) => {
    if (of === 'answer') keeper?.confirm()
  },
  report: () => ({ program: keeper?.report() ?? null }),
  close: async () => keeper?.close(),
})

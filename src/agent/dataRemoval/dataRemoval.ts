import type { Report } from '../../protocol/report.ts'
import type { MachineFeature } from '../machineFeature.ts'
import { DataRemover, type DataRemoverParts } from './dataRemover.ts'

/** Removes the data folders of removed services. */
export function dataRemoval(parts: DataRemoverParts): MachineFeature<Pick<Report, 'removedData'>> {
  const remover = new DataRemover(parts)
  return {
    start: () => remover.want([]),
    want: ({ removedData }) => void remover.want(removedData),
    retry: (desired) => void (desired && remover.want(desired.removedData)),
    report: () => ({ removedData: [...remover.removed] }),
  }
}

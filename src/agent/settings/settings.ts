import type { MachineFeature } from '../machineFeature.ts'
import type { Problems } from '../problems.ts'
import { SettingsKeeper, type TakeSettings } from './settingsKeeper.ts'

/** This machine's part of the cluster file. Settings that were read from disk were applied before. */
export function settings(take: TakeSettings, problems: Problems): MachineFeature {
  const keeper = new SettingsKeeper(take, problems)
  return {
    want: (desired, isRestored) => {
      if (!isRestored) void keeper.want(desired)
    },
    retry: () => void keeper.retry(),
    report: () => ({}),
  }
}

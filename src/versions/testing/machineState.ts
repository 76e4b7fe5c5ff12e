import type { Installation } from '../../parts/parts.ts'
import type { FolderOnDisk } from '../../parts/partsHost.ts'

/** The changes that survive a loss of power, apart from the records. */
export interface MachineState {
  units: Record<string, { text: string; isEnabled: boolean }>
  /** Command lines of helpers. */
  helpers: Record<string, { argv: readonly string[]; isEnabled: boolean }>
  users: Record<string, true>
  groups: Record<string, true>
  folders: Record<string, FolderOnDisk>
}

export const rootOwned = { uid: 0, gid: 0, owner: 'root', group: 'root' }

export const installedState = ({ units, users, folders }: Installation): MachineState => ({
  units: Object.fromEntries(units.map(({ name, text, isEnabled }) => [name, { text, isEnabled }])),
  helpers: {},
  users: Object.fromEntries(users.map((name) => [name, true])),
  groups: {},
  folders: Object.fromEntries(folders.map(({ path, mode }) => [path, { mode, ...rootOwned }])),
})

/** Of each change since the durable state, `survives` says whether it survives. */
export function mixed(durable: MachineState, present: MachineState, survives: () => boolean): MachineState {
  const mix = <T>(one: Record<string, T>, other: Record<string, T>): Record<string, T> => {
    const names = [...new Set([...Object.keys(one), ...Object.keys(other)])]
    return Object.fromEntries(
      names.flatMap((name) => {
        const from = JSON.stringify(one[name]) === JSON.stringify(other[name]) || survives() ? other : one
        const value = from[name]
        return value === undefined ? [] : [[name, value] as const]
      }),
    )
  }
  return {
    units: mix(durable.units, present.units),
    helpers: mix(durable.helpers, present.helpers),
    users: mix(durable.users, present.users),
    groups: mix(durable.groups, present.groups),
    folders: mix(durable.folders, present.folders),
  }
}

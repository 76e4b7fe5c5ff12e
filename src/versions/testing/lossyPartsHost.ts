import { agentUnit } from '../../layout/units.ts'
import type { PartsHost } from '../../parts/partsHost.ts'
import type { UnitControl } from '../../systemd/unitControl.ts'
import { rootOwned, type MachineState } from './machineState.ts'

interface Around {
  units: UnitControl
  state: () => MachineState
  /** The text with which each unit runs. */
  running: () => Record<string, string>
  /** Each effect may be the one at which the machine fails. */
  call: (...effects: (() => void)[]) => Promise<void>
  start: (unit: string) => void
  /** Makes the present state durable. */
  sync: () => void
}

/** The units, users and folders of a machine in memory. */
export function partsHostOn({ units, state, running, call, start, sync }: Around): PartsHost {
  return {
    readUnit: async (name) => {
      const unit = state().units[name]
      return unit ? { ...unit, command: units.command(name) } : null
    },
    writeUnit: async (name, { text, isEnabled, command }) => {
      await call(
        () => (state().units[name] = { text, isEnabled: state().units[name]?.isEnabled ?? false }),
        () => (state().units[name] = { text, isEnabled }),
      )
      if (command !== undefined) await units.useCommand(name, command)
    },
    removeUnit: async (name) => {
      await call(
        () => delete running()[name],
        () => delete state().units[name],
      )
      await units.useCommand(name, null)
    },
    takeUp: (name) =>
      call(() => {
        const unit = state().units[name]
        if (!unit?.isEnabled) delete running()[name]
        else if (name === agentUnit) start(name)
        else running()[name] = unit.text
      }),
    hasUser: async (name) => state().users[name] ?? false,
    addUser: (name) => call(() => (state().users[name] = true)),
    removeUser: (name) => call(() => delete state().users[name]),
    hasGroup: async (name) => state().groups[name] ?? false,
    addGroup: (name) => call(() => (state().groups[name] = true)),
    removeGroup: (name) => call(() => delete state().groups[name]),
    readFolder: async (path) => state().folders[path] ?? null,
    ensureFolder: async ({ path, mode }) => {
      await call(
        () => (state().folders[path] ??= { mode: 0o700, ...rootOwned }),
        () => (state().folders[path] = { mode, ...rootOwned }),
      )
    },
    putFolder: (path, about) => call(() => (state().folders[path] = about)),
    removeFolder: async (path) => {
      await call(() => delete state().folders[path])
      return true
    },
    sync: () => call(sync),
  }
}

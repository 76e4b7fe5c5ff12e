import type { FeatureParts } from '../agent/features.ts'
import { downloadFolder } from '../layout/dataFolder.ts'
import { agentUnit } from '../layout/units.ts'
import type { KeeperNeeds, ProgramKeeper } from '../versions/programKeeper.ts'
import type { ProgramHost } from '../versions/programHost.ts'
import type { MachineSide, Making } from './machineSide.ts'

/** The version of Tandem itself, which an upgrade changes. */
export const program = {
  drivers: async (making: Making) => ({
    /** Keeps this agent's program at the version of the cluster; left out where an upgrade cannot change it. */
    program: making.identity.joined ? (needs: KeeperNeeds) => keeperOf(making, needs) : undefined,
  }),
  agent: async () => {
    const { program: feature } = await import('../agent/program/program.ts')
    return ({ program: open }: { program?: OpenKeeper | undefined }) => ({
      make: async ({ source, changed }: FeatureParts) => feature((await open?.({ source, changed })) ?? null),
    })
  },
  operations: async (context) => {
    const { openPrograms, programOperations } = await import('../privileged/program/operations.ts')
    return programOperations({ ...context, ...openPrograms(context) })
  },
  controller: {
    drivers: async (helper, data): Promise<{ programs?: ProgramHost }> => {
      if (!helper) return {}
      const { remotePrograms } = await import('../privileged/program/remote.ts')
      return { programs: remotePrograms(helper, downloadFolder(data)) }
    },
    operations: async (data) => {
      const { controllerProgramOperations, openControllerPrograms } =
        await import('../privileged/program/operations.ts')
      return controllerProgramOperations(openControllerPrograms(data))
    },
  },
  leaving: { files: { agent: ['program', 'download'] } },
} satisfies MachineSide

type OpenKeeper = (needs: KeeperNeeds) => Promise<ProgramKeeper | null>

async function keeperOf(
  { options: { data }, logger, root }: Making,
  needs: KeeperNeeds,
): Promise<ProgramKeeper | null> {
  const { keepProgram } = await import('../versions/keepProgram.ts')
  const { remotePrograms } = await import('../privileged/program/remote.ts')
  return keepProgram({
    ...{ ...needs, unit: agentUnit, data, logger },
    host: root ? remotePrograms(root, downloadFolder(data)) : undefined,
    // An agent that is root runs in a unit from before the privileged helper: joining again converts it.
    changesParts: root !== null,
  })
}

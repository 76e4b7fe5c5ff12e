import type { EntryPoints } from './cli/entryPoints.ts'
import { setUpUnprivileged } from './privileged/setUp.ts'

/** Prepares a machine that has just joined for an unprivileged agent. */
export function setUpAgent({
  data,
  command,
  environment,
  joined,
}: Parameters<EntryPoints['setUpUnprivileged']>[0]): Promise<string[]> {
  const { machine, authority, settings } = joined
  const { cluster, address, addresses } = settings
  return setUpUnprivileged({
    ...{ data, command, environment, authority },
    machine: { machine, cluster, address, addresses },
  })
}

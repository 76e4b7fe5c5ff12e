import type { Programs } from './cli/programs.ts'
import { setUpUnprivileged } from './privileged/setUp.ts'

/** Prepares a machine that has just joined for an unprivileged agent. */
export function setUpAgent({
  data,
  command,
  environment,
  joined,
}: Parameters<Programs['setUpUnprivileged']>[0]): Promise<string[]> {
  const { machine, authority, settings } = joined
  const { cluster, address, addresses } = settings
  return setUpUnprivileged({
    ...{ data, command, environment, authority },
    machine: { machine, cluster, address, addresses },
  })
}

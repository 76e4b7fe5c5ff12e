import type { Programs } from './cli/programs.ts'
import { JoinedFolder } from './identity/joinedMachine.ts'
import { setUpUnprivileged } from './privileged/setUp.ts'

/** Prepares a machine that has just joined for an agent without rights. */
export function setUpAgent({
  data,
  command,
  environment,
}: Parameters<Programs['setUpUnprivileged']>[0]): Promise<string[]> {
  const joined = new JoinedFolder(data)
  const { machine, settings } = joined.read()
  const { cluster, address, addresses } = settings
  const { authority } = joined.identity.read()
  return setUpUnprivileged({
    ...{ data, command, environment, authority },
    machine: { machine, cluster, address, addresses },
  })
}

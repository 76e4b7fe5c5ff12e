import { NftFirewall } from '../../drivers/firewall/nftFirewall.ts'
import type { ServiceUsers } from '../../drivers/supervisor/systemd/serviceUsers.ts'
import { guardedUnit } from '../../drivers/firewall/guardedUnit.ts'
import { listUnits } from '../../drivers/supervisor/systemd/unitFiles.ts'
import { userName } from '../../drivers/supervisor/systemd/unitName.ts'
import { unitFolder } from '../../layout/units.ts'
import { agentUser, haproxyUser } from '../../layout/users.ts'

/** The firewall over the units on this machine. `folder`: only root can write in it. */
export const openFirewall = (folder: string, users: Pick<ServiceUsers, 'ensure'>): NftFirewall =>
  new NftFirewall({
    folder,
    units: () => listUnits(unitFolder).flatMap((record) => guardedUnit(unitFolder, record) ?? []),
    ensureUser: users.ensure,
    userOf: userName,
    free: [haproxyUser, agentUser],
    balancers: [haproxyUser],
  })

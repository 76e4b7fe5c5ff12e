import type { AddressDriver } from '../../drivers/address/address.ts'
import { createNoneAddress } from '../../drivers/address/noneAddress.ts'
import { ownFiles } from '../../drivers/files/ownFiles.ts'
import { noFirewall } from '../../drivers/firewall/firewall.ts'
import { noNames } from '../../drivers/names/hostsFile.ts'
import { loadAgentFeatures } from '../../machine/features.ts'
import type { HungFeature } from '../features.ts'
import { OwnSecrets } from '../secrets/ownSecrets.ts'

/** The features of an agent on a laptop: it may not work on its machine, and its settings change nothing. */
export const bareFeatures = async (address: AddressDriver = createNoneAddress()): Promise<HungFeature[]> =>
  (await loadAgentFeatures())({
    address,
    hostDriver: null,
    names: noNames,
    firewall: noFirewall(null),
    settings: { take: async () => {} },
    secrets: new OwnSecrets(),
    files: ownFiles(process.env),
  })

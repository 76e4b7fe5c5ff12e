import { join } from 'node:path'
import type { FeatureParts } from '../agent/features.ts'
import { addressDrivers, addressMoves } from '../definitions/addresses/drivers.ts'
import { balancerHasUnit, type Drivers } from '../definitions/driverRegistry.ts'
import type { MachineSettings } from '../definitions/machineSettings.ts'
import type { AddressDriver } from '../drivers/address/address.ts'
import type { AddressHost } from '../drivers/address/keepalived/addressHost.ts'
import type { Known } from '../examine/featureExamination.ts'
import {
  addressRunDir,
  addressScriptsFolder,
  addressScriptUnit,
  guardProgram,
  guardUnit,
  keepalivedUnit,
} from '../layout/addresses.ts'
import { haproxyRunDir } from '../layout/folders.ts'
import { addressArea } from '../protocol/addresses.ts'
import type { MachineSide, Making } from './machineSide.ts'

/** Virtual addresses: keepalived with its guard, or the operator's scripts. */
export const addresses = {
  drivers: async (making: Making) => ({ address: await driverOf(making) }),
  agent: async () => {
    const { Addresses } = await import('../agent/addresses/addresses.ts')
    return ({ address: driver }: { address: AddressDriver }) => ({
      make: ({ balancer, problems, clock, changed }: FeatureParts) =>
        new Addresses({ driver, balancer, problems, clock, changed }),
    })
  },
  operations: async (context) => {
    const { addressOperations, openAddresses } = await import('../privileged/addresses/operations.ts')
    return addressOperations({ ...context, ...openAddresses(context) })
  },
  units: { standing: [keepalivedUnit, guardUnit], isPassing: (unit) => unit === addressScriptUnit },
  examination: {
    programs: ({ drivers, addresses: virtual }) => [
      virtual.length > 0 ? addressDrivers[drivers.address].program : null,
    ],
    needed: (known) => (movesHere(known) ? [keepalivedUnit, guardUnit] : []),
    configuration: {
      area: addressArea,
      find: async (data, known) => {
        if (!movesHere(known)) return null
        const { keepalivedState } = await import('../examine/addresses.ts')
        return keepalivedState(data)
      },
    },
  },
  leaving: {
    files: { run: [addressRunDir] },
    staying: [keepalivedUnit],
    detach: async (folder) => (await directHost(folder)).leave(),
    remove: async (folder) => (await directHost(folder)).remove(),
  },
  programs: {
    [guardProgram]: {
      unit: guardUnit,
      run: async (options) => (await import('../drivers/address/keepalived/runGuard.ts')).runGuard(options),
    },
  },
} satisfies MachineSide

/** Without virtual addresses Tandem runs no keepalived, whatever the driver. */
const movesHere = ({ settings, told }: Known): boolean =>
  addressMoves(settings.drivers) === 'elected' && settings.addresses.length > 0 && (told?.addresses.length ?? 0) > 0

type MakeAddress = (making: Making, settings: MachineSettings) => Promise<AddressDriver>

const makers: Record<Drivers['address'], MakeAddress> = {
  keepalived: async (
    { options: { data }, identity: { machine }, logger, root, drivers },
    { cluster, address: own },
  ): Promise<AddressDriver> => {
    const [{ createKeepalivedAddress }, { keepalivedFiles }, { guardSocket }] = await Promise.all([
      import('../drivers/address/keepalived/keepalivedAddress.ts'),
      import('../drivers/address/keepalived/keepalivedFiles.ts'),
      import('../drivers/balancer/haproxy/haproxyConfig.ts'),
    ])
    return createKeepalivedAddress({
      ...{ cluster, machine, own, files: keepalivedFiles(data), host: await hostOf(data, root) },
      haproxy: balancerHasUnit(drivers) ? `${haproxyRunDir}/${guardSocket}` : null,
      failed: (error) =>
        logger.warn(
          { err: error },
          'cannot follow the messages of the guard; reading them whenever the controller answers',
        ),
    })
  },
  command: async ({ options: { data }, identity: { machine }, root }, { cluster }) => {
    const { createCommandAddress } = await import('../drivers/address/command/commandAddress.ts')
    const files = { folder: addressScriptsFolder, file: join(data, 'address.json') }
    if (root === null) return createCommandAddress({ machine, cluster, ...files })
    const { remoteAddressScript } = await import('../privileged/addresses/remote.ts')
    return createCommandAddress({ machine, cluster, ...files, run: remoteAddressScript(root) })
  },
  none: async ({ options: { data }, root }) => {
    const { createNoneAddress } = await import('../drivers/address/noneAddress.ts')
    const host = await hostOf(data, root)
    return createNoneAddress(() => host.remove())
  },
}

async function driverOf(making: Making): Promise<AddressDriver> {
  const { joined } = making.identity
  if (joined) return makers[making.drivers.address](making, joined.settings)
  return (await import('../drivers/address/noneAddress.ts')).createNoneAddress()
}

async function hostOf(data: string, root: Making['root']): Promise<AddressHost> {
  if (root) return (await import('../privileged/addresses/remote.ts')).remoteAddresses(root)
  const { guardCommand } = await import('../drivers/address/keepalived/guardCommand.ts')
  return directHost(data, guardCommand(data))
}

async function directHost(data: string, guardCommand: readonly string[] = []): Promise<AddressHost> {
  const [{ keepalivedFiles }, { systemdAddressHost }] = await Promise.all([
    import('../drivers/address/keepalived/keepalivedFiles.ts'),
    import('../drivers/address/keepalived/systemdAddressHost.ts'),
  ])
  return systemdAddressHost({ files: keepalivedFiles(data), guardCommand })
}

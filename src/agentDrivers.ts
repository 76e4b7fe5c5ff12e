import { join } from 'node:path'
import type { Logger } from 'pino'
import { mustHaveJoined, type AgentIdentity } from './agent/agentIdentity.ts'
import type { EntryPoints } from './cli/entryPoints.ts'
import { balancerHasUnit, hasUnits, laptopDrivers, type Drivers } from './definitions/driverRegistry.ts'
import type { AddressDriver } from './drivers/address/address.ts'
import type { AddressHost } from './drivers/address/keepalived/addressHost.ts'
import { createCommandAddress } from './drivers/address/command/commandAddress.ts'
import { createKeepalivedAddress } from './drivers/address/keepalived/keepalivedAddress.ts'
import { keepalivedFiles } from './drivers/address/keepalived/keepalivedFiles.ts'
import { systemdAddressHost } from './drivers/address/keepalived/systemdAddressHost.ts'
import { createNoneAddress } from './drivers/address/noneAddress.ts'
import type { BalancerDriver } from './drivers/balancer/balancer.ts'
import { createHaproxyBalancer, type HaproxyBalancerOptions } from './drivers/balancer/haproxy/haproxyBalancer.ts'
import { guardSocket } from './drivers/balancer/haproxy/haproxyConfig.ts'
import { openEmbedded } from './drivers/balancer/openEmbedded.ts'
import type { HaproxyProcess } from './drivers/balancer/haproxy/haproxyProcess.ts'
import { unitOpenFiles } from './drivers/balancer/haproxy/openFiles.ts'
import { unitHaproxy } from './drivers/balancer/haproxy/unitHaproxy.ts'
import type { HostDriver } from './drivers/host/host.ts'
import { createSystemdHost } from './drivers/host/systemdHost.ts'
import { createProcessSupervisor } from './drivers/supervisor/process/processSupervisor.ts'
import { openDataFolders } from './drivers/supervisor/dataFolders.ts'
import { createSystemdSupervisor } from './drivers/supervisor/systemd/systemdSupervisor.ts'
import type { SupervisorDriver } from './drivers/supervisor/supervisor.ts'
import { guardCommand } from './drivers/address/keepalived/guardCommand.ts'
import { anyAddress } from './lib/localHost.ts'
import { systemClock } from './lib/clock.ts'
import { bootMark } from './lib/bootId.ts'
import { beQuiet } from './lib/quiet.ts'
import { privilegedHere, type CallPrivileged } from './privileged/privilegedClient.ts'
import { remoteAddresses, remoteAddressScript } from './privileged/addresses/remote.ts'
import { remoteExamine } from './privileged/examine.ts'
import { privateHaproxy } from './privileged/haproxy/ownHaproxy.ts'
import { copyCertificates, remoteHaproxy } from './privileged/haproxy/remote.ts'
import { remoteHost } from './privileged/maintenance/remote.ts'
import { remotePrograms } from './privileged/program/remote.ts'
import { remoteData, remoteUnits } from './privileged/services/remote.ts'
import { takeSettings } from './privileged/settings/remote.ts'
import { programOf } from './programOf.ts'
import type { AgentSelf, Checkup } from './protocol/checkup.ts'
import type { MachineSettings } from './definitions/machineSettings.ts'
import { removeTree } from './releases/removeTree.ts'
import type { KeeperNeeds, ProgramKeeper } from './versions/programKeeper.ts'
import {
  downloadFolder,
  haproxyFolder,
  maintenanceFolder,
  sharedCertificates,
  supervisorFolder,
} from './layout/dataFolder.ts'
import {
  addressScriptsFolder,
  certificatesFolder,
  configurationFolder,
  dataRoots,
  haproxyRunDir,
} from './layout/folders.ts'
import { agentUnit } from './layout/units.ts'
import { haproxyUser } from './layout/users.ts'

type Options = Parameters<EntryPoints['runAgent']>[0]

export interface AgentDrivers {
  supervisor: SupervisorDriver
  /** Takes the forwarding port of the last run, so that peers need not learn a new port. */
  balancer: (remembered: number) => Promise<BalancerDriver>
  address: AddressDriver
  /** `null` if the agent may not maintain its machine. */
  hostDriver: HostDriver | null
  /** Sends the settings of the cluster file to the privileged helper; `null` if there is none. */
  sendSettings: ((settings: MachineSettings, order: string | null) => Promise<void>) | null
  /** Keeps this agent's program at the version of the cluster; left out where an upgrade cannot change it. */
  program?: ((needs: KeeperNeeds) => Promise<ProgramKeeper | null>) | undefined
  hasHelper: boolean
  /** Lets the privileged helper examine the machine, because it can read everything; `null`: this process does it. */
  examine: ((self: AgentSelf) => Promise<Checkup>) | null
}

/** The parts that a driver is made of. */
interface Making {
  options: Options
  identity: AgentIdentity
  logger: Logger
  /** Client of the privileged helper; `null`: this process does the work that needs root itself. */
  root: CallPrivileged | null
  drivers: Drivers
}

const supervisors: Record<Drivers['supervisor'], (making: Making) => SupervisorDriver> = {
  systemd: systemdSupervisor,
  process: ({ options: { data }, identity: { machine } }) =>
    createProcessSupervisor({ dir: supervisorFolder(data), machine, clock: systemClock }),
}
const balancers: Record<Drivers['balancer'], (making: Making, remembered: number) => Promise<BalancerDriver>> = {
  haproxy: ({ options, identity, logger, root }) => haproxy(options, identity, logger, root),
  embedded: ({ options: { host, httpPort, forwardPort }, identity: { machine, joined }, logger }, remembered) =>
    openEmbedded({
      ...{ host, httpPort, forwardPort, remembered, machine, clock: systemClock },
      address: joined?.settings.address ?? null,
      log: (message, about) => logger.info(about, message),
    }),
}
const addresses: Record<Drivers['address'], (making: Making, settings: MachineSettings) => AddressDriver> = {
  keepalived: keepalivedAddress,
  command: commandAddress,
  none: ({ options: { data }, root }) => {
    const host = addressHost(data, root)
    return createNoneAddress(() => host.remove())
  },
}

/** Creates the drivers that the cluster file names for this machine. */
export function agentDrivers(options: Options, identity: AgentIdentity, logger: Logger): AgentDrivers {
  const { joined } = identity
  const { data } = options
  const drivers = joined?.settings.drivers ?? laptopDrivers
  if (balancerHasUnit(drivers)) beQuiet()
  const root = privilegedHere()
  const making: Making = { options, identity, logger, root, drivers }
  return {
    supervisor: supervisors[drivers.supervisor](making),
    sendSettings: root && ((settings, order) => takeSettings(root, settings, order)),
    program: joined
      ? programOf({
          ...{ unit: agentUnit, data, logger, host: root ? remotePrograms(root, downloadFolder(data)) : undefined },
          // An agent that is root runs in a unit from before the privileged helper: joining again converts it.
          changesParts: root !== null,
        })
      : undefined,
    hasHelper: root !== null,
    examine: root && ((self) => remoteExamine(root, self, joined?.folder.read().settings ?? null)),
    balancer: (remembered) => balancers[drivers.balancer](making, remembered),
    hostDriver: hasUnits(drivers) ? hostOf(options, root) : null,
    address: joined ? addresses[drivers.address](making, joined.settings) : createNoneAddress(),
  }
}

const hostOf = ({ data }: Options, root: CallPrivileged | null): HostDriver =>
  root ? remoteHost(root, bootMark) : createSystemdHost(maintenanceFolder(data))

function systemdSupervisor({ options: { data }, root }: Making): SupervisorDriver {
  return createSystemdSupervisor({
    dir: supervisorFolder(data),
    clock: systemClock,
    hidden: [data, configurationFolder],
    ...(root
      ? { host: remoteUnits(root), dataFolders: remoteData(root) }
      : { dataFolders: openDataFolders(dataRoots, removeTree) }),
  })
}

const addressHost = (data: string, root: CallPrivileged | null): AddressHost =>
  root ? remoteAddresses(root) : systemdAddressHost({ files: keepalivedFiles(data), guardCommand: guardCommand(data) })

function keepalivedAddress(
  { options: { data }, identity: { machine }, logger, root, drivers }: Making,
  { cluster, address: own }: MachineSettings,
): AddressDriver {
  return createKeepalivedAddress({
    ...{ cluster, machine, own, files: keepalivedFiles(data), host: addressHost(data, root) },
    haproxy: balancerHasUnit(drivers) ? `${haproxyRunDir}/${guardSocket}` : null,
    failed: (error) =>
      logger.warn(
        { err: error },
        'cannot follow the messages of the guard; reading them whenever the controller answers',
      ),
  })
}

function commandAddress(
  { options: { data }, identity: { machine }, root }: Making,
  { cluster }: MachineSettings,
): AddressDriver {
  const run = root ? { run: remoteAddressScript(root) } : {}
  return createCommandAddress({
    machine,
    cluster,
    folder: addressScriptsFolder,
    file: join(data, 'address.json'),
    ...run,
  })
}

async function haproxy(
  options: Options,
  identity: AgentIdentity,
  logger: Logger,
  root: CallPrivileged | null,
): Promise<BalancerDriver> {
  const { machine } = identity
  const joined = mustHaveJoined(identity, 'haproxy')
  const { data, httpPort, forwardPort } = options
  const { entry } = joined.settings
  const { identity: own } = joined.folder
  const balancer = createHaproxyBalancer({
    ...{
      dir: haproxyFolder(data),
      runDir: haproxyRunDir,
      machine,
      clock: systemClock,
      user: root ? haproxyUser : 'haproxy',
    },
    ...{ host: anyAddress(options.host), httpPort, forward: { host: anyAddress(options.host), port: forwardPort } },
    ...(entry.certificates === null ? {} : { https: { port: entry.https, ...certificatesOf(data, root) } }),
    tls: { ca: own.authorityPem, cert: own.pem, key: own.pem },
    trustedProxies: entry.trustedProxies,
    process: root ? remoteHaproxy(root, privateHaproxy()) : publicHaproxy(),
    sharesGroup: root !== null,
    log: (message, about) => logger.info(about, message),
  })
  await balancer.listen()
  return balancer
}

const publicHaproxy = (): HaproxyProcess =>
  unitHaproxy({
    ...{ runDir: haproxyRunDir, master: `${haproxyRunDir}/master.sock`, openFiles: unitOpenFiles },
  })

const certificatesOf = (
  data: string,
  root: CallPrivileged | null,
): Pick<NonNullable<HaproxyBalancerOptions['https']>, 'certificates' | 'source' | 'copy'> =>
  root === null
    ? { certificates: certificatesFolder }
    : { certificates: sharedCertificates(data), source: certificatesFolder, copy: () => copyCertificates(root) }

import { isIP } from 'node:net'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { AgentIdentity, JoinedAgent } from './agentIdentity.ts'
import { selfCommand } from './cli/laptop/selfCommand.ts'
import type { Programs } from './cli/programs.ts'
import type { Drivers } from './definitions/cluster.ts'
import type { AddressDriver } from './drivers/address/address.ts'
import { createCommandAddress } from './drivers/address/command/commandAddress.ts'
import { createKeepalivedAddress } from './drivers/address/keepalived/keepalivedAddress.ts'
import { keepalivedFiles } from './drivers/address/keepalived/keepalivedFiles.ts'
import { systemdAddressHost } from './drivers/address/keepalived/systemdAddressHost.ts'
import { createNoneAddress } from './drivers/address/noneAddress.ts'
import type { BalancerDriver } from './drivers/balancer/balancer.ts'
import { createEmbeddedBalancer } from './drivers/balancer/embeddedBalancer.ts'
import { createHaproxyBalancer } from './drivers/balancer/haproxy/haproxyBalancer.ts'
import { guardSocket } from './drivers/balancer/haproxy/haproxyConfig.ts'
import { unitHaproxy } from './drivers/balancer/haproxy/unitHaproxy.ts'
import type { HostDriver } from './drivers/host/host.ts'
import { createSystemdHost } from './drivers/host/systemdHost.ts'
import { createProcessSupervisor } from './drivers/supervisor/process/processSupervisor.ts'
import { createSystemdSupervisor } from './drivers/supervisor/systemd/systemdSupervisor.ts'
import type { SupervisorDriver } from './drivers/supervisor/supervisor.ts'
import { systemClock } from './lib/clock.ts'
import { OperatorError } from './lib/operatorError.ts'

type Options = Parameters<Programs['runAgent']>[0]

export interface AgentDrivers {
  supervisor: SupervisorDriver
  /** Given the forwarding port of last time, so that peers need not learn another. */
  balancer: (remembered: number) => Promise<BalancerDriver>
  address: AddressDriver
  /** `null` where the agent may not work on its machine. */
  hostDriver: HostDriver | null
}

/** A laptop's, where the cluster file says nothing. */
const laptopDrivers: Drivers = { supervisor: 'process', balancer: 'embedded', address: 'none' }

/** Secrets of every service, and keys. */
const configurationFolder = '/etc/tandem'
export const haproxyRunDir = '/run/tandem-haproxy'
/** PEM files for https, put there by whoever runs the machine. */
export const certificatesFolder = join(configurationFolder, 'certificates')
/** 10,000 connections at the entry, up to four files each, and its own. */
const haproxyFiles = 65_536

/** The drivers of this machine, as the cluster file names them. */
export function agentDrivers(options: Options, identity: AgentIdentity, logger: Logger): AgentDrivers {
  const drivers = identity.joined?.settings.drivers ?? laptopDrivers
  return {
    supervisor: supervisorOf(drivers.supervisor, options, identity),
    balancer:
      drivers.balancer === 'haproxy'
        ? async () => haproxy(options, identity, logger)
        : (remembered) => embedded(options, identity, logger, remembered),
    hostDriver: drivers.supervisor === 'systemd' ? createSystemdHost(join(options.data, 'maintenance')) : null,
    address: addressOf(drivers, options, identity, logger),
  }
}

function supervisorOf(name: Drivers['supervisor'], { data }: Options, { machine }: AgentIdentity): SupervisorDriver {
  if (name === 'systemd') {
    return createSystemdSupervisor({
      dir: join(data, 'supervisor'),
      clock: systemClock,
      hidden: [data, configurationFolder],
    })
  }
  return createProcessSupervisor({ dir: join(data, 'supervisor'), machine, clock: systemClock })
}

function addressOf(
  { address, balancer }: Drivers,
  { data }: Options,
  { machine, joined }: AgentIdentity,
  logger: Logger,
): AddressDriver {
  if (!joined) return createNoneAddress()
  const { cluster, address: own } = joined.settings
  const files = keepalivedFiles(data)
  const host = systemdAddressHost({ files, guardCommand: guardCommand(data) })
  if (address === 'keepalived') {
    return createKeepalivedAddress({
      ...{ cluster, machine, own, files, host },
      haproxy: balancer === 'haproxy' ? `${haproxyRunDir}/${guardSocket}` : null,
      failed: (error) =>
        logger.warn({ err: error }, 'what the guard says is not followed; it is read with each report'),
    })
  }
  const clean = (): Promise<void> => host.remove()
  if (address === 'none') return createNoneAddress(clean)
  const folder = join(configurationFolder, 'address')
  return createCommandAddress({ machine, cluster, folder, file: join(data, 'address.json') })
}

/** Small: it is there beside everything else, and looks ten times a second. */
function guardCommand(data: string): string[] {
  const { command, args } = selfCommand()
  const script = args.at(-1) ?? ''
  return [command, '--max-semi-space-size=1', '--max-old-space-size=32', script, 'agent', 'guard', '--data', data]
}

async function haproxy(options: Options, { machine, joined }: AgentIdentity, logger: Logger): Promise<BalancerDriver> {
  if (!joined) throw notJoined(machine)
  const { data, httpPort, forwardPort } = options
  const { entry } = joined.settings
  const { identity } = joined.folder
  const balancer = createHaproxyBalancer({
    ...{ dir: join(data, 'haproxy'), runDir: haproxyRunDir, machine, clock: systemClock, user: 'haproxy' },
    ...{ host: anyAddress(options.host), httpPort, forward: { host: anyAddress(options.host), port: forwardPort } },
    ...(entry.certificates === null ? {} : { https: { port: entry.https, certificates: certificatesFolder } }),
    tls: { ca: identity.authorityPem, cert: identity.pem, key: identity.pem },
    process: unitHaproxy({
      ...{ runDir: haproxyRunDir, master: `${haproxyRunDir}/master.sock`, openFiles: haproxyFiles },
    }),
    log: (message, about) => logger.info(about, message),
  })
  await balancer.listen()
  return balancer
}

async function embedded(
  options: Options,
  { machine, joined }: AgentIdentity,
  logger: Logger,
  remembered: number,
): Promise<BalancerDriver> {
  const { host, httpPort, forwardPort } = options
  if (joined && !isLoopback(host)) throw inTheClear(joined, machine)
  const log = (message: string, about: object): void => logger.info(about, message)
  const listen = async (port: number): Promise<BalancerDriver> => {
    const balancer = createEmbeddedBalancer({
      ...{ host, httpPort, forwardPort: port, machine, clock: systemClock, log },
    })
    await balancer.listen()
    return balancer
  }
  if (forwardPort !== 0) return listen(forwardPort)
  // Any, when something else took it meanwhile.
  return listen(remembered).catch(() => listen(0))
}

/** People reach a machine by addresses that the cluster file does not name, too. */
const anyAddress = (host: string): string => (isLoopback(host) ? host : isIP(host) === 6 ? '::' : '0.0.0.0')

const isLoopback = (host: string): boolean => /^127\.|^::1$|^localhost$/.test(host)

const inTheClear = ({ settings }: JoinedAgent, machine: string): OperatorError =>
  new OperatorError('E_DEFINITION', `the balancer embedded would forward in the clear from ${settings.address}`, {
    subject: machine,
    next: 'it is for machines of one computer; write drivers: { balancer: haproxy } into cluster.yaml and apply it',
  })

const notJoined = (machine: string): OperatorError =>
  new OperatorError('E_DEFINITION', 'the balancer haproxy needs a certificate, which joining gives', {
    subject: machine,
    next: 'tandem machine add NAME   prints the command with which a machine joins',
  })

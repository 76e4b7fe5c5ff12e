import { isIP } from 'node:net'
import { join } from 'node:path'
import type { Logger } from 'pino'
import type { AgentIdentity, JoinedAgent } from './agentIdentity.ts'
import type { Programs } from './cli/programs.ts'
import type { Drivers } from './definitions/cluster.ts'
import type { AddressDriver } from './drivers/address/address.ts'
import { createNoneAddress } from './drivers/address/noneAddress.ts'
import type { BalancerDriver } from './drivers/balancer/balancer.ts'
import { createEmbeddedBalancer } from './drivers/balancer/embeddedBalancer.ts'
import { createHaproxyBalancer } from './drivers/balancer/haproxy/haproxyBalancer.ts'
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
const haproxyRunDir = '/run/tandem-haproxy'
/** PEM files for https, put there by whoever runs the machine. */
const certificatesFolder = join(configurationFolder, 'certificates')
/** 10,000 connections at the entry, up to four files each, and its own. */
const haproxyFiles = 65_536

/** The drivers of this machine, as the cluster file names them. */
export function agentDrivers(options: Options, identity: AgentIdentity, logger: Logger): AgentDrivers {
  const drivers = identity.joined?.settings.drivers ?? laptopDrivers
  if (drivers.address !== 'none') throw notBuilt('address', drivers.address, identity.machine)
  return {
    supervisor: supervisorOf(drivers.supervisor, options, identity),
    balancer:
      drivers.balancer === 'haproxy'
        ? async () => haproxy(options, identity, logger)
        : (remembered) => embedded(options, identity, logger, remembered),
    address: createNoneAddress(),
    hostDriver: drivers.supervisor === 'systemd' ? createSystemdHost(join(options.data, 'maintenance')) : null,
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

const notBuilt = (kind: string, driver: string, machine: string): OperatorError =>
  new OperatorError('E_DEFINITION', `this Tandem has no ${kind} driver ${driver}`, {
    subject: machine,
    next: `name another in cluster.yaml (drivers: { ${kind}: … }), then: tandem cluster apply`,
  })

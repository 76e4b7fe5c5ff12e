import { balancerDrivers, balancerHasUnit, type Drivers } from '../definitions/driverRegistry.ts'
import type { BalancerDriver } from '../drivers/balancer/balancer.ts'
import type { HaproxyProcess } from '../drivers/balancer/haproxy/haproxyProcess.ts'
import type { HaproxyBalancerOptions } from '../drivers/balancer/haproxy/haproxyBalancer.ts'
import { haproxyFolder, sharedCertificates } from '../layout/dataFolder.ts'
import { certificatesFolder, haproxyRunDir } from '../layout/folders.ts'
import { haproxyUnit } from '../layout/units.ts'
import { haproxyUser } from '../layout/users.ts'
import { systemClock } from '../lib/clock.ts'
import { anyAddress } from '../lib/localHost.ts'
import type { CallPrivileged } from '../privileged/privilegedClient.ts'
import type { MachineSide, Making } from './machineSide.ts'

type MakeBalancer = (making: Making, remembered: number) => Promise<BalancerDriver>

/** The balancer of a machine: HAProxy as a unit, or a part of the agent. */
export const haproxy = {
  drivers: async (making: Making) => ({
    /** Takes the forwarding port of the last run, so that peers need not learn a new port. */
    balancer: (remembered: number) => balancers[making.drivers.balancer](making, remembered),
  }),
  operations: async (context) => {
    const { haproxyOperations, openHaproxy } = await import('../privileged/haproxy/operations.ts')
    return haproxyOperations(openHaproxy(context))
  },
  units: { standing: [haproxyUnit] },
  examination: {
    programs: ({ drivers }) => [balancerDrivers[drivers.balancer].program],
    needed: ({ hasRun, settings }) => (hasRun && balancerHasUnit(settings.drivers) ? [haproxyUnit] : []),
  },
  leaving: { staying: [haproxyUnit] },
} satisfies MachineSide

const balancers: Record<Drivers['balancer'], MakeBalancer> = {
  haproxy: withUnit,
  embedded: async (
    { options: { host, httpPort, forwardPort }, identity: { machine, joined }, logger },
    remembered,
  ): Promise<BalancerDriver> => {
    const { openEmbedded } = await import('../drivers/balancer/openEmbedded.ts')
    return openEmbedded({
      ...{ host, httpPort, forwardPort, remembered, machine, clock: systemClock },
      address: joined?.settings.address ?? null,
      log: (message, about) => logger.info(about, message),
    })
  },
}

async function withUnit({ options, identity, logger, root }: Making): Promise<BalancerDriver> {
  const [{ mustHaveJoined }, { createHaproxyBalancer }] = await Promise.all([
    import('../agent/agentIdentity.ts'),
    import('../drivers/balancer/haproxy/haproxyBalancer.ts'),
  ])
  const { machine } = identity
  const joined = mustHaveJoined(identity, 'haproxy')
  const { data, httpPort, forwardPort } = options
  const { entry } = joined.settings
  const { identity: own } = joined.folder
  const host = anyAddress(options.host)
  const balancer = createHaproxyBalancer({
    ...{ dir: haproxyFolder(data), runDir: haproxyRunDir, machine, clock: systemClock },
    user: root ? haproxyUser : 'haproxy',
    ...{ host, httpPort, forward: { host, port: forwardPort } },
    ...(entry.certificates === null
      ? {}
      : {
          https: { port: entry.https, ...(await (root ? copied(root, data) : { certificates: certificatesFolder })) },
        }),
    tls: { ca: own.authorityPem, cert: own.pem, key: own.pem },
    trustedProxies: entry.trustedProxies,
    process: await (root ? privateProcess(root) : publicProcess()),
    sharesGroup: root !== null,
    log: (message, about) => logger.info(about, message),
  })
  await balancer.listen()
  return balancer
}

async function privateProcess(root: CallPrivileged): Promise<HaproxyProcess> {
  const [{ privateHaproxy }, { remoteHaproxy }] = await Promise.all([
    import('../privileged/haproxy/ownHaproxy.ts'),
    import('../privileged/haproxy/remote.ts'),
  ])
  return remoteHaproxy(root, privateHaproxy())
}

async function publicProcess(): Promise<HaproxyProcess> {
  const [{ unitHaproxy }, { unitOpenFiles }] = await Promise.all([
    import('../drivers/balancer/haproxy/unitHaproxy.ts'),
    import('../drivers/balancer/haproxy/openFiles.ts'),
  ])
  return unitHaproxy({ runDir: haproxyRunDir, master: `${haproxyRunDir}/master.sock`, openFiles: unitOpenFiles })
}

async function copied(
  root: CallPrivileged,
  data: string,
): Promise<Pick<NonNullable<HaproxyBalancerOptions['https']>, 'certificates' | 'source' | 'copy'>> {
  const { copyCertificates } = await import('../privileged/haproxy/remote.ts')
  return { certificates: sharedCertificates(data), source: certificatesFolder, copy: () => copyCertificates(root) }
}

import { pino, type Logger } from 'pino'
import { CertificateKeeper } from './agent/certificateKeeper.ts'
import { withSettings } from './agent/listenOptions.ts'
import { startAgent } from './agent/startAgent.ts'
import { agentIdentity, type AgentIdentity, type JoinedAgent } from './agent/agentIdentity.ts'
import { ApiClient } from './api/client.ts'
import type { EntryPoints } from './cli/entryPoints.ts'
import { laptopDrivers } from './definitions/driverKinds.ts'
import { balancerHasUnit, hasUnits } from './definitions/driverRegistry.ts'
import { systemClock } from './lib/clock.ts'
import { bootMark } from './lib/bootId.ts'
import { beQuiet } from './lib/quiet.ts'
import { examinations, featureDrivers, loadAgentFeatures } from './machine/features.ts'
import { privilegedSocket } from './layout/folders.ts'
import { privilegedSocketUnit } from './layout/units.ts'
import { privilegedHere, type CallPrivileged } from './privileged/privilegedClient.ts'
import type { AgentSelf, Checkup } from './protocol/checkup.ts'
import { defaultLastPerService } from './releases/storeCollection.ts'
import { untilStopped } from './lib/untilStopped.ts'
import { readVersion } from './lib/version.ts'

type Options = Parameters<EntryPoints['runAgent']>[0]

/** Runs the agent with the drivers of its machine, until a signal, or until the cluster file changes its settings. */
export async function runAgent(given: Options): Promise<number> {
  const identity = agentIdentity(given)
  const { machine, controllerUrl, token, joined } = identity
  const options = withSettings(given, joined?.settings ?? null)
  const logger = pino({ level: process.env['TANDEM_LOG'] ?? 'info', base: { machine } })
  const keeper: CertificateKeeper | null = joined && keeperOf(joined, () => client, logger)
  const client = new ApiClient({ url: controllerUrl, token, trust: () => keeper?.identity ?? null })
  const named = joined?.settings.drivers ?? laptopDrivers
  if (balancerHasUnit(named)) beQuiet()
  const root = privilegedHere({ path: privilegedSocket, unit: privilegedSocketUnit })
  const drivers = await featureDrivers({ options, identity, logger, root, drivers: named })
  const { supervisor } = drivers
  if (supervisor.abilities.why) logger.warn(supervisor.abilities, 'not all limits are enforced on this machine')
  const agent = await startAgent({
    ...{ ...options, supervisor, balancer: drivers.balancer, foldersIn: drivers.foldersIn, machine, client, logger },
    features: (await loadAgentFeatures())(drivers),
    bootMark: hasUnits(named) ? bootMark : () => '',
    // The privileged helper reads the secrets itself; the agent's user may not read them.
    ...(root ? { secretsFolder: null } : {}),
    keepLast: defaultLastPerService,
    version: readVersion(),
    examine: (self) => examine(self, options, identity, root),
  }).catch(async (error: unknown) => {
    // The supervisor may hold timers and children, which would keep this process from ending.
    await supervisor.close()
    throw error
  })
  keeper?.start()
  logger.info(agent.endpoints, 'the agent runs')
  process.send?.({ event: 'ready', machine, ...agent.endpoints })
  const close = async (): Promise<void> => {
    await keeper?.close()
    await agent.close()
  }
  return untilStopped(logger, close, { asked: drivers.settings.changed, abandon: () => supervisor.abandon?.() })
}

function keeperOf({ folder }: JoinedAgent, client: () => ApiClient, logger: Logger): CertificateKeeper {
  return new CertificateKeeper({ folder: folder.identity, client, renewed: async () => {}, logger, clock: systemClock })
}

/** With a privileged helper, the helper examines the machine, because it can read everything. */
async function examine(
  self: AgentSelf,
  { data, secretsFolder }: Options,
  { machine, joined }: AgentIdentity,
  root: CallPrivileged | null,
): Promise<Checkup> {
  const settings = joined?.folder.read().settings ?? null
  if (root) return (await import('./privileged/examine.ts')).remoteExamine(root, self, settings)
  const { examineMachine } = await import('./examine/checkups.ts')
  return examineMachine({ machine, data, secretsFolder, self, settings, features: examinations })
}

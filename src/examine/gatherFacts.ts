import { existsSync, statSync } from 'node:fs'
import { join } from 'node:path'
import { readDesiredFiles } from '../agent/desiredFile.ts'
import type {
  AgentState,
  ExpectedPort,
  Gathered,
  MachineFacts,
  Listener,
  Ports,
  ProgramVersion,
  Units,
} from '../doctor/machineFacts.ts'
import { haproxyFiles } from '../drivers/balancer/haproxy/haproxySettings.ts'
import { unitName } from '../drivers/supervisor/systemd/unitName.ts'
import { jsonReader } from '../lib/jsonFolder.ts'
import { remembered } from '../lib/remembered.ts'
import { isLoopbackAddress } from '../lib/procNet.ts'
import type { AgentSelf } from '../protocol/checkup.ts'
import { saysNothing } from '../protocol/declaredRoutes.ts'
import type { DesiredState } from '../protocol/desiredState.ts'
import type { MachineSettings } from '../definitions/machineSettings.ts'
import { certificateFiles } from './certificateFiles.ts'
import { clockHere } from './clockHere.ts'
import { haproxyState, type Checker } from './configurations.ts'
import { disksHere } from './disksHere.ts'
import { neededUnits, type FeatureExaminations, type Known } from './featureExamination.ts'
import { gathered } from './gathered.ts'
import { limitsHere } from './limitsHere.ts'
import { listenersOn, socketsHere } from './listeners.ts'
import { programVersions } from './programVersions.ts'
import { secretFiles, type SecretPlace } from './secretFiles.ts'
import { unitsHere } from './unitsHere.ts'
import { laptopDrivers } from '../definitions/driverKinds.ts'
import { balancerHasUnit, hasUnits } from '../definitions/driverRegistry.ts'
import { privateDataRoot } from '../layout/folders.ts'
import { agentUnit, haproxyUnit } from '../layout/units.ts'
import { privilegedFolder } from '../layout/dataFolder.ts'
import { PartsFiles } from '../parts/partsFiles.ts'
import { partsSeen } from '../parts/partsSeen.ts'

/** Scope of an examination: the machine, and the places of its files. */
export interface Examined {
  machine: string
  data: string
  now: number
  /** Version of the program that examines. */
  installed: string
  /** `null` for a machine on a laptop, whose drivers are part of the agent. */
  settings: MachineSettings | null
  /** The agent's report about itself, or the reason why there is none. */
  self: AgentSelf | string
  secretsFolder: string
  certificatesFolder: string
  haproxyRunDir: string
  /** User that checks HAProxy's configuration; `null` means the current user. */
  haproxyChecker: Checker | null
  /** How long to watch for dropped connections. */
  watchMs: number
  features: FeatureExaminations
}

/** Gathers the facts for a machine's checkup. A fact that cannot be gathered is replaced by the reason. */
export async function gatherFacts(examined: Examined): Promise<MachineFacts> {
  const { machine, now, data, settings, haproxyRunDir } = examined
  const isLinux = process.platform === 'linux'
  const on = <T>(applies: boolean, look: () => T | null | Promise<T | null>): Promise<Gathered<T>> =>
    applies ? gathered<T>(look) : Promise.resolve(null)
  const drivers = settings?.drivers ?? laptopDrivers
  const haproxy = haproxyFiles(join(data, 'haproxy'), haproxyRunDir)
  const isHaproxy = balancerHasUnit(drivers)
  const ports = await on(isLinux, () => portsOf(examined))
  const [programs, clock, certificates, disks, limits, haproxySeen, configurations, units, secrets] = await Promise.all(
    [
      on(true, () => programVersions(programsOf(examined))),
      on(settings !== null, clockHere),
      on(settings !== null, () =>
        certificateFiles(join(data, 'identity'), isHaproxy ? haproxy.machine : null, publicFolder(examined)),
      ),
      on(true, () => disksHere(placesOf(data))),
      on(isLinux, () => limitsOf(examined, ports)),
      on(isHaproxy, () =>
        haproxyState(
          { path: haproxy.config, unit: haproxyUnit },
          { master: haproxy.master, checker: examined.haproxyChecker },
        ),
      ),
      configurationsOf(examined),
      on(hasUnits(drivers), () => unitsOf(examined)),
      on(true, () => secretFiles(secretsOf(examined), statSync(data).uid === 0 ? ownersOf(data) : [])),
    ],
  )
  return {
    ...{ machine, now, agent: { seen: agentOf(examined) }, programs, clock, ports, certificates, disks, limits },
    ...{ haproxy: haproxySeen, configurations, units, secrets },
  }
}

const placesOf = (data: string): Parameters<typeof disksHere>[0] => [
  { path: data, holds: 'cache' },
  { path: privateDataRoot, holds: 'other' },
  { path: '/var/log/journal', holds: 'journal' },
  { path: '/etc', holds: 'other' },
]

function agentOf({ self, installed }: Examined): AgentState {
  if (typeof self === 'string') return { silent: self, version: installed, installed, connected: false, problems: [] }
  const { version, controller, problems } = self
  return { silent: null, version, installed, connected: controller, problems }
}

function programsOf({ settings, features }: Examined): Exclude<ProgramVersion['program'], 'node'>[] {
  if (!settings) return []
  return features.all.flatMap(({ programs }) => programs?.(settings) ?? []).filter((program) => program !== null)
}

/** The last state that the agent obeyed; `null` if there is none yet. One checkup reads it once. */
const desiredOf = remembered(
  ({ data }: Examined): DesiredState | null => readDesiredFiles(jsonReader(data), (_name, read) => read()).state,
)

/** If HAProxy serves no HTTPS from the folder, its content does not matter. */
const publicFolder = ({ settings, certificatesFolder }: Examined): string | null =>
  settings && balancerHasUnit(settings.drivers) && settings.entry.certificates !== null ? certificatesFolder : null

function configurationsOf(examined: Examined): Promise<MachineFacts['configurations']> {
  const written = examined.features.all.flatMap(({ configuration }) => configuration ?? [])
  return Promise.all(
    written.map(async ({ area, find }) => {
      const state = await gathered(() => {
        const known = knownOf(examined)
        return known && find(examined.data, known)
      })
      return { area, state }
    }),
  )
}

async function unitsOf(examined: Examined): Promise<Units> {
  const known = knownOf(examined)
  const own = known === null ? [] : neededUnits(known, examined.features.all)
  const parts = [...(known?.parts ?? [])]
  return {
    units: await unitsHere(own, examined.features.kindOf),
    wanted: wantedOf(examined),
    own,
    parts,
    areOld: areOld(examined),
  }
}

/** `null` for a machine on a laptop. */
function knownOf(examined: Examined): Known | null {
  const { data, settings } = examined
  if (settings === null) return null
  const hasRun = existsSync(join(data, 'ports.json'))
  return { settings, parts: partsOf(data), hasRun, told: desiredOf(examined)?.settings ?? null }
}

/** None if the agent runs as root, in a unit that Tandem has not written. */
const partsOf = (data: string): readonly string[] =>
  existsSync(privilegedFolder(data)) ? (new PartsFiles(data).record?.units ?? [agentUnit]) : []

/** Only a program of the agent's version can tell. */
function areOld({ data, self, installed }: Examined): boolean {
  const isAgents = typeof self !== 'string' && self.version === installed
  return isAgents && partsOf(data).length > 0 && !partsSeen(agentUnit, data).areOwn()
}

/** Instances that should be on this machine, and those that the agent still handles. */
function wantedOf(examined: Examined): string[] {
  const known = typeof examined.self === 'string' ? [] : examined.self.instances.map(({ id }) => id)
  return [...known, ...(desiredOf(examined)?.instances ?? []).map(({ id }) => id)]
}

const onlyTheAgentKnows =
  'only the agent knows which ports and processes belong on this machine, and the agent does not answer'

async function portsOf(examined: Examined): Promise<Ports> {
  const { self } = examined
  if (typeof self === 'string') throw new Error(onlyTheAgentKnows)
  const expected = expectedPorts(self, examined)
  const ports = new Set(expected.map(({ port }) => port))
  const found = await listenersOn([...ports], socketsHere())
  return {
    expected,
    listeners: found.filter(({ port }) => ports.has(port)),
    strays: straysOf(self, found),
    unsaid: unsaidOf(examined),
  }
}

/** Ports other than its own on which an instance listens beyond loopback. */
function straysOf({ instances }: AgentSelf, listeners: Listener[]): Ports['strays'] {
  const own = new Set(instances.map(({ port }) => port))
  return listeners.flatMap(({ port, address, unit, instance: said }) => {
    // A process with the id of another instance belongs to another cluster on this computer.
    const instance = instances.find(({ id, service }) => id === said || unitName(service, id) === unit)
    if (!instance || own.has(port) || isLoopbackAddress(address)) return []
    return [{ instance: instance.id, port, address }]
  })
}

/** Routes open to everybody without an explicit `expose`. On a laptop every port is bound to 127.0.0.1. */
function unsaidOf(examined: Examined): Ports['unsaid'] {
  const desired = examined.settings === null ? null : desiredOf(examined)
  return (desired?.routes ?? []).flatMap(({ service, match, releases }) => {
    if (match.kind === 'http') return []
    const { port } = match
    const saysNothingOf = (release: string): boolean =>
      !(release in (desired?.declaredRoutes ?? {})) &&
      (desired?.definitions[release]?.routes ?? []).some((route) => saysNothing(route) && route.port === port)
    return releases.some(saysNothingOf) ? [{ service, port }] : []
  })
}

function expectedPorts(self: AgentSelf, examined: Examined): ExpectedPort[] {
  const { settings } = examined
  const entryUnit = settings && balancerHasUnit(settings.drivers) ? haproxyUnit : null
  const metricsUnit = settings === null ? null : agentUnit
  const isUnits = settings !== null && hasUnits(settings.drivers)
  // On a laptop, machines share an address, and each has its own TCP ports.
  const { routes = [], localRoutes = [] } = (entryUnit === null ? null : desiredOf(examined)) ?? {}
  const tcp = routes.flatMap(({ match }) => (match.kind === 'tcp' ? [match.port] : []))
  const local = localRoutes.map(({ service, match: { port, address } }) => ({
    ...{ port, address, what: `the local port of ${service}` },
  }))
  const entries = [
    { port: self.http, what: 'the entry for http' },
    { port: self.forward, what: 'the forward port for other machines' },
    ...[...new Set(tcp)].map((port) => ({ port, what: 'the port of a TCP route' })),
    ...local,
  ]
  return [
    ...entries.map((entry) => ({ ...entry, unit: entryUnit, loopbackOnly: false })),
    { port: self.metrics, what: "the agent's metrics port", unit: metricsUnit, loopbackOnly: true },
    ...self.instances.flatMap(({ id, service, state, port }) =>
      state !== 'ready' || port === null
        ? []
        : [{ port, what: `the port of ${id}`, unit: isUnits ? unitName(service, id) : null, loopbackOnly: true }],
    ),
  ]
}

async function limitsOf(
  { self, watchMs }: Examined,
  ports: Gathered<{ listeners: { pid: number | null; unit: string | null; command: string }[] }>,
) {
  const listeners = ports !== null && 'seen' in ports ? ports.seen.listeners : null
  const processes = new Map(
    listeners?.flatMap(({ pid, unit, command }) => (pid === null ? [] : [[pid, unit ?? command] as const])),
  )
  return limitsHere({
    sockets: socketsHere(),
    instances: typeof self === 'string' ? null : self.ports,
    processes: listeners && [...processes].map(([pid, name]) => ({ pid, name })),
    watchMs,
  })
}

/** The agent's user, where the agent does not run as root. */
const ownersOf = (data: string): number[] => {
  const joined = statSync(join(data, 'joined.json'), { throwIfNoEntry: false })
  return joined ? [joined.uid] : []
}

const secretsOf = ({ data, secretsFolder }: Examined): SecretPlace[] => [
  { path: secretsFolder, ending: '.env' },
  { path: join(data, 'identity') },
  { path: join(data, 'supervisor/environment') },
  { path: join(data, 'privileged/environment') },
  // HAProxy reads its copy through its own group, where agent and HAProxy run as two users.
  { path: join(data, 'haproxy'), ending: '.pem', mayReadByGroup: existsSync(join(data, 'privileged')) },
  ...['joined.json', 'desired.json', 'desired-changes.json'].map((name) => ({ path: join(data, name) })),
]

import { existsSync, lstatSync, readdirSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { listUnits, openUnitFiles } from '../drivers/supervisor/systemd/unitFiles.ts'
import { serviceUsers, type ServiceUsers } from '../drivers/supervisor/systemd/serviceUsers.ts'
import { userName } from '../drivers/supervisor/systemd/unitName.ts'
import { userExists } from '../lib/accounts.ts'
import { programFolder } from '../lib/programFolder.ts'
import { endLeftovers } from '../privileged/endLeftovers.ts'
import { RootFolder } from '../privileged/rootFolder.ts'
import { OperatorError } from '../lib/operatorError.ts'
import { mayInstallUnits, removeUnit, stopUnit, systemctl } from '../systemd/units.ts'
import { agentUnit, controllerUnit, haproxyUnit, partsUnit, trialUnit, unitFolder } from '../layout/units.ts'
import { removeTree } from '../releases/removeTree.ts'
import { createUnitControl } from '../systemd/unitControl.ts'
import { agentOnly, helperOnly, joiningOnly, supervisorFolder } from '../layout/dataFolder.ts'
import {
  configurationFolder,
  dataRoot,
  dataRoots,
  packageFolder,
  privateDataRoot,
  runFolders,
} from '../layout/folders.ts'
import { agentParts } from '../parts/parts.ts'
import { namesOf, union, type PartsNames } from '../parts/partsChange.ts'
import { PartsFiles } from '../parts/partsFiles.ts'

interface Leaving {
  data: string
  /** Also stops and removes the services. */
  purge: boolean
  /** With `purge`: whether to keep the services' data; `null`: the user chose neither. */
  serviceData: 'keep' | 'remove' | null
}

interface Left {
  /** Units that continue to run. */
  units: string[]
  /** Services whose data is kept. */
  keptData: string[]
  /** After `purge`: everything that remains. `remove`: the command that removes it. */
  stays: { what: string; where: string; remove: string | null }[]
}

/** How a feature leaves a machine. */
export interface FeatureLeaving {
  /**
   * Entries that no unit needs which continues without Tandem: names in the data folder of the agent, and in the
   * helper's. The folders in `run` may be needed; they are removed with everything else.
   */
  files?: { agent?: readonly string[]; helper?: readonly string[]; run?: readonly string[] }
  /** Units that continue to run without Tandem, if they exist. */
  staying?: readonly string[]
  /** Removes what only Tandem uses. `folder`: the data folder of the helper, or the agent's where there is no helper. */
  detach?: (folder: string) => Promise<void>
  /** Removes everything, for `purge`. */
  remove?: (folder: string) => Promise<void>
}

/**
 * Removes Tandem from this machine. Its services continue under systemd, HAProxy and keepalived alone. Every step may
 * be repeated, so that a second call finishes an interrupted one.
 */
export async function leaveMachine(leaving: Leaving, features: readonly FeatureLeaving[]): Promise<Left> {
  const { data, purge } = leaving
  if (!mayInstallUnits()) throw notRoot()
  if (!existsSync(data) && !existsSync(join(unitFolder, agentUnit))) throw nothingThere(data)
  if (purge) refuseUnsaid(leaving)
  const parts = partsHere(data)
  await removeParts(parts, purge ? [] : features.flatMap(({ staying = [] }) => staying))
  const root = new RootFolder(data)
  const folder = root.exists ? root.path : data
  const environment = root.exists ? root.path : supervisorFolder(data)
  const instances = openUnitFiles(unitFolder, join(environment, 'environment'))
  if (!purge) {
    for (const feature of features) await feature.detach?.(folder)
    for (const name of [...agentOnly, ...filesOf(features, 'agent')]) await removeTree(join(data, name))
    // The agent may have put a link in its place.
    if (lstatSync(join(data, 'cache'), { throwIfNoEntry: false })?.isDirectory())
      for (const name of ['objects', 'index']) await removeTree(join(data, 'cache', name))
    // These files are removed last: they record that this machine has joined.
    for (const name of [...helperOnly, ...filesOf(features, 'helper')])
      rmSync(join(root.path, name), { recursive: true, force: true })
    for (const name of joiningOnly) rmSync(join(data, name), { recursive: true, force: true })
    const units = [...listUnits(unitFolder).map(({ unit }) => unit), ...others(features)]
    return { units, keptData: servicesWithData(), stays: [] }
  }
  for (const { unit, withinMs } of listUnits(unitFolder)) {
    await stopUnit(unit, withinMs)
    instances.remove(unit)
  }
  await removeUnit(haproxyUnit)
  for (const feature of features) await feature.remove?.(folder)
  for (const folder of [...runFolders, ...filesOf(features, 'run')]) rmSync(folder, { recursive: true, force: true })
  if (leaving.serviceData === 'remove' || dataFolders().length === 0)
    for (const root of dataRoots) await removeTree(root)
  const users = serviceUsers()
  for (const service of await users.all()) if (!servicesWithData().includes(service)) await users.remove(service)
  await systemctl('daemon-reload')
  for (const folder of ownFolders(parts)) await removeTree(folder)
  await removeTree(data)
  return { units: [], keptData: servicesWithData(), stays: await whatStays(parts, users) }
}

/** The parts that this version describes, and those that another version has set up. */
function partsHere(data: string): PartsNames {
  const described = namesOf(agentParts({ data, name: '', groups: [], command: () => [] }))
  return union(described, new PartsFiles(data).record ?? described)
}

/** The administrator's files stay. */
const ownFolders = ({ folders }: PartsNames): string[] =>
  folders.filter((path) => path !== configurationFolder && !path.startsWith(`${configurationFolder}/`))

/** Removes the agent and its privileged helper, with the drop-ins of upgrades. */
async function removeParts({ units }: PartsNames, staying: readonly string[]): Promise<void> {
  const parts = units.filter((unit) => !staying.includes(unit)).toReversed()
  // These are removed first and last, because the other units may start them again until they have ended.
  const passing = [trialUnit(agentUnit), partsUnit(agentUnit)]
  for (const unit of [...passing, ...parts, ...passing]) await removeUnit(unit)
  for (const unit of parts) await createUnitControl().useCommand(unit, null)
  // Leftover processes of the agent could still change folders that root removes next.
  await endLeftovers(agentUnit)
}

const filesOf = (features: readonly FeatureLeaving[], of: keyof NonNullable<FeatureLeaving['files']>): string[] =>
  features.flatMap(({ files }) => files?.[of] ?? [])

const others = (features: readonly FeatureLeaving[]): string[] =>
  features.flatMap(({ staying = [] }) => staying).filter((unit) => existsSync(join(unitFolder, unit)))

/** Refuses to purge until the user has decided whether to keep or remove the data of the services. */
function refuseUnsaid({ serviceData }: Leaving): void {
  const kept = servicesWithData()
  if (serviceData !== null || kept.length === 0) return
  throw new OperatorError('E_USAGE', `these services have data on this machine: ${kept.join(', ')}`, {
    subject: privateDataRoot,
    next: 'choose one: tandem agent leave --purge --remove-data   or   tandem agent leave --purge --keep-data',
  })
}

const servicesWithData = (): string[] => dataFolders().map((path) => basename(path))

/**
 * Data folders that are not empty. They are below the first root, or below the second if the service runs as a user of
 * the machine. The second root also has links.
 */
const dataFolders = (): string[] =>
  dataRoots.flatMap((root) =>
    (existsSync(root) ? readdirSync(root) : [])
      .map((name) => join(root, name))
      .filter((path) => lstatSync(path).isDirectory() && readdirSync(path).length > 0),
  )

/** Everything that `--purge` leaves on the machine, its place, and the command that removes it. */
async function whatStays(parts: PartsNames, ofServices: ServiceUsers): Promise<Left['stays']> {
  const users: string[] = []
  for (const user of parts.users) if (await userExists(user)) users.push(user)
  const controller = join(unitFolder, controllerUnit)
  const isPackage = programFolder === packageFolder
  return [
    { what: 'the program', where: programFolder, remove: isPackage ? 'apt remove tandem' : `rm -r ${programFolder}` },
    ...users.map((user) => ({ what: 'a user that no longer owns anything', where: user, remove: `userdel ${user}` })),
    ...(existsSync(configurationFolder)
      ? [
          {
            what: 'secrets, certificates and scripts',
            where: configurationFolder,
            remove: `rm -r ${configurationFolder}`,
          },
        ]
      : []),
    ...dataFolders().map((where) => ({ what: `data of ${basename(where)}`, where, remove: `rm -r ${where}` })),
    ...(await ofServices.all()).map((service) => {
      const user = userName(service)
      return { what: `the user that owns the data of ${service}`, where: user, remove: `userdel ${user}` }
    }),
    ...(existsSync(dataRoot) ? [{ what: 'links to the data', where: dataRoot, remove: `rm -r ${dataRoot}` }] : []),
    ...(existsSync(controller)
      ? [{ what: "the cluster's controller, which continues to run", where: controller, remove: null }]
      : []),
    { what: 'output of services', where: 'the journal, until journald drops it', remove: null },
  ]
}

const notRoot = (): OperatorError =>
  new OperatorError('E_USAGE', 'tandem agent leave needs root on a machine with systemd', {
    subject: 'tandem agent leave',
    next: 'tandem agent leave --help',
  })

const nothingThere = (data: string): OperatorError =>
  new OperatorError('E_USAGE', `there is no agent here: neither ${agentUnit} nor ${data} exists`, {
    subject: data,
    next: 'if the agent has another data folder: tandem agent leave --data DIR',
  })

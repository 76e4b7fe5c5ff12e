import { mkdirSync, mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { createFakeHost } from '../../drivers/host/fakeHost.ts'
import { openDataFolders } from '../../drivers/supervisor/dataFolders.ts'
import type { InstanceSpec } from '../../drivers/supervisor/supervisor.ts'
import { findRecord, openUnitFiles } from '../../drivers/supervisor/systemd/unitFiles.ts'
import { openUnitHost } from '../../drivers/supervisor/systemd/unitHost.ts'
import { recordLines } from '../../drivers/supervisor/systemd/unitText.ts'
import { unitName } from '../../drivers/supervisor/systemd/unitName.ts'
import { createAuthority, createRequest, signRequest } from '../../identity/authority.ts'
import type { Identity } from '../../identity/identityFolder.ts'
import { contentHash, signOrder, type Order } from '../../identity/order.ts'
import { ownUnitKind } from '../../machine/features.ts'
import { removeTree } from '../../releases/removeTree.ts'
import { addressOperations, type AddressParts } from '../addresses/operations.ts'
import { examineOperations } from '../examine.ts'
import { haproxyOperations, type HaproxyParts } from '../haproxy/operations.ts'
import type { HelperContext } from '../helperContext.ts'
import { maintenanceOperations, type MaintenanceParts } from '../maintenance/operations.ts'
import { performer } from '../performer.ts'
import { programOperations, type ProgramParts } from '../program/operations.ts'
import { RootFolder } from '../rootFolder.ts'
import { openServiceSecrets } from '../secrets/operations.ts'
import { AcceptedOrders } from '../services/acceptedOrders.ts'
import { OnceStarted } from '../services/onceStarted.ts'
import { OrderedPrograms } from '../services/orderedPrograms.ts'
import { serviceOperations, type ServiceParts } from '../services/operations.ts'
import { settingsOperations } from '../settings/operations.ts'

type HelperParts = Pick<HelperContext, 'folder' | 'now' | 'examine' | 'unitExtras' | 'secretValues'> &
  Omit<ServiceParts, 'programs'> &
  AddressParts &
  HaproxyParts &
  MaintenanceParts &
  ProgramParts & { ordered: OrderedPrograms }
type Authority = { key: string; certificate: string }

/** All operations of the privileged helper on real files, with an authority; systemd only receives recorded calls. */
export class PerformerLab {
  readonly root = mkdtempSync(join(tmpdir(), 'privileged-'))
  /** The calls that changed the machine. */
  readonly told: string[] = []
  readonly written: InstanceSpec[] = []
  now = Date.now()
  isAgentOld = false
  readonly host = createFakeHost()
  readonly authority: Authority
  readonly controller: Identity
  readonly parts: HelperParts

  static async open(): Promise<PerformerLab> {
    const authority = await createAuthority('shop', Date.now())
    return new PerformerLab(authority, await identityOf(authority, 'controller'))
  }

  private constructor(authority: Authority, controller: Identity) {
    this.authority = authority
    this.controller = controller
    for (const name of ['units', 'secrets', 'roots']) mkdirSync(this.at(name))
    const folder = new RootFolder(this.root)
    const known = { machine: 'a', cluster: 'shop', address: '10.0.0.11', addresses: ['10.0.0.50'] }
    folder.make(known, authority.certificate)
    const { told, host } = this
    const orders = new AcceptedOrders({ folder, now: () => this.now })
    const releaseFolder = (release: string): string => this.at('releases', release)
    const env = { PATH: '/usr/bin:/bin', HOME: '/nonexistent' }
    const dataFolder = (service: string): string => `/var/lib/tandem-data/${service}`
    this.parts = {
      ...{ folder, host, unitFolder: this.at('units'), isOwnUnit: (unit) => ownUnitKind(unit) !== null },
      ...{
        releaseFolder,
        orders,
        formerFolder: (release) => this.at('former', release),
        secrets: this.at('secrets'),
        permits: this.at('allowed-jail.yaml'),
      },
      units: this.#unitsThatTell(),
      isAgentOld: () => this.isAgentOld,
      onceStarted: new OnceStarted(this.at('started')),
      ordered: new OrderedPrograms({
        orders,
        extras: [],
        releaseFolder,
        dataFolder,
        env,
        machine: () => 'a',
        portOf: (service, instance) => findRecord(this.at('units'), unitName(service, instance))?.port ?? null,
      }),
      unitExtras: [],
      secretValues: [],
      data: openDataFolders([this.at('roots')], removeTree),
      addresses: {
        install: async ({ addresses }) => void told.push(`install ${addresses.map((one) => one.address).join()}`),
        leave: async () => {},
        remove: async () => void told.push('remove addresses'),
      },
      addressScript: async (_, script) => void told.push(script),
      haproxy: { start: async () => {}, copyCertificates: async () => {} },
      programs: () => Promise.reject(new Error('no programs here')),
      download: this.at('download'),
      examine: async () => ({ machine: 'a', checked: [], findings: [] }),
      now: () => this.now,
    }
  }

  close(): void {
    rmSync(this.root, { recursive: true })
  }

  at(...names: string[]): string {
    return join(this.root, ...names)
  }

  perform(): ReturnType<typeof performer> {
    const { parts } = this
    const operations = {
      ...serviceOperations({ ...parts, programs: parts.ordered }),
      ...addressOperations(parts),
      ...haproxyOperations(parts),
      ...settingsOperations(parts),
      ...examineOperations(parts),
      ...maintenanceOperations(parts),
      ...programOperations(parts),
      ...openServiceSecrets(parts),
    }
    return performer(operations, () => parts.folder.check())
  }

  ask(name: string, args: unknown): Promise<unknown> {
    return this.perform()(name, args)
  }

  /** An order of the controller, or of another identity. */
  signed(kind: Order['kind'], content: unknown, over: Partial<Order> = {}, by = this.controller): string {
    const base = { machine: 'a', kind, id: '', attempt: 0, term: 1, position: 10, sha256: contentHash(content) }
    return signOrder({ ...base, ...over }, by)
  }

  #unitsThatTell(): HelperParts['units'] {
    const { told } = this
    const files = openUnitFiles(this.at('units'), this.at('environment'))
    const tell =
      (what: string) =>
      async (unit: string): Promise<null> => {
        told.push(`${what} ${unit}`)
        return null
      }
    return {
      ...openUnitHost({
        ...{ unitFolder: this.at('units'), environmentFolder: this.at('environment'), hidden: [] },
        users: { ensure: async () => 1 },
      }),
      write: async (spec) => {
        this.written.push(spec)
        const text = ['', ...recordLines(spec), ''].join('\n')
        files.write(`tandem-${spec.id}.service`, text, JSON.stringify(spec.env))
        told.push(`write ${spec.id}`)
      },
      start: tell('start'),
      stop: async (unit) => void (await tell('stop')(unit)),
      resetFailed: async (unit) => void (await tell('reset')(unit)),
      reload: async () => void told.push('reload'),
      listens: async () => true,
    }
  }
}

export async function identityOf(by: Authority, role: 'controller' | 'machine', now = Date.now()): Promise<Identity> {
  const { key, request } = await createRequest(role)
  const about = { role, name: role === 'controller' ? 'controller' : 'a', addresses: ['10.0.0.10'] }
  const certificate = await signRequest(by, request, about, { now, days: 30 })
  return { key, certificate, authority: by.certificate }
}

/** A new lab for each test of the file. */
export function performerLab(): () => PerformerLab {
  let lab: PerformerLab | null = null
  beforeEach(async () => {
    lab = await PerformerLab.open()
  })
  afterEach(() => lab?.close())
  return () => {
    if (!lab) throw new Error('a lab is there only while a test runs')
    return lab
  }
}

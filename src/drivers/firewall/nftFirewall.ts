import { existsSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import { z } from 'zod'
import { metadataAddresses, metadataUses } from '../../definitions/firewall/metadata.ts'
import { firewallModes } from '../../definitions/firewall/keys.ts'
import { firewallRules, firewallTable as tableName, firewallUnit } from '../../layout/firewall.ts'
import { isStaged, removeFileDurably, stageFile } from '../../lib/durableFile.ts'
import { readJson, writeJsonDurably } from '../../lib/durableJson.ts'
import { coalesced } from '../../lib/coalesced.ts'
import { exec, execOrThrow } from '../../lib/exec.ts'
import { KeyedQueue } from '../../lib/keyedQueue.ts'
import { isActive, systemctl } from '../../systemd/units.ts'
import { canarySings } from './canary.ts'
import { callsOf, countedIn, type Counted } from './countsOf.ts'
import type { FirewallDriver, Guard, Seen } from './firewall.ts'
import { nftPath, transact, transactFirst, whyNoNft } from './nft.ts'
import { endRefused } from './openConnections.ts'
import { rulesOf, type GuardedUnit } from './rulesOf.ts'
import { changedText, hasSameRules, tableText, type TableRules } from './tableText.ts'
import { usersHere, type UsersHere } from './usersHere.ts'

export interface NftOptions {
  /** Only root can write in it. */
  folder: string
  /** The units of instances on this machine now. */
  units: () => readonly GuardedUnit[]
  /** Makes the user of a service that runs without one. */
  ensureUser: (service: string) => Promise<unknown>
  userOf: (service: string) => string
  /** Names of the users that may connect to everything, and of those of them that the balancer runs as. */
  free: readonly string[]
  balancers: readonly string[]
  /** Whether a unit of its own brings the rules back; not in tests. */
  hasUnit?: boolean
}

const files = { guard: 'firewall.json', rules: firewallRules }
const withoutTable = `add table inet ${tableName}\ndelete table inet ${tableName}\n`
const guardSchema = z.object({
  mode: z.enum(firewallModes),
  users: z.array(z.string()),
  routes: z.array(
    z.object({ address: z.string(), port: z.number(), service: z.string(), callers: z.array(z.string()) }),
  ),
  metadata: z.array(z.string()).exactOptional(),
})

/**
 * The firewall in the kernel of this machine. It needs root. The ports of instances come from their units, so a port is
 * guarded from before the start of its instance until its unit is gone, whether the agent runs or not.
 */
export class NftFirewall implements FirewallDriver {
  readonly #options: NftOptions
  /** One transaction after the other, each from the newest files. */
  readonly #queue = new KeyedQueue()
  /** Instances that start at the same time share a transaction. */
  readonly #refreshes = coalesced(() =>
    this.#queue.run('table', async () => {
      const guard = this.#guard()
      if (guard !== null) await this.#apply(guard)
    }),
  )

  constructor(options: NftOptions) {
    this.#options = options
  }

  get #file(): string {
    return join(this.#options.folder, files.rules)
  }

  get why(): string | null {
    return whyNoNft()
  }

  hold(guard: Guard | null): Promise<void> {
    return this.#queue.run('table', () => (guard === null ? this.#drop() : this.#hold(guard)))
  }

  /** Takes up the present units; resolves with whether rules hold. */
  async refresh(): Promise<boolean> {
    await this.#refreshes.ask()
    return this.#guard() !== null
  }

  look(): Promise<Seen | null> {
    return this.#queue.run('table', async () => {
      const guard = this.#guard()
      if (guard === null) return null
      const isRestored = !(await this.#isThere())
      if (isRestored) await this.#restore(guard)
      // The unit too brings the table back, and leaves connections that began while it was away.
      else if (guard.mode === 'enforce') await endRefused((await this.#rules(guard)).rules)
      return { isRestored, ...(await this.#counted(guard)) }
    })
  }

  seemsThere(): Promise<boolean> {
    return canarySings()
  }

  async #hold(guard: Guard): Promise<void> {
    const { folder, units, ensureUser, userOf } = this.#options
    const before = this.#guard()
    // Instances from before there were such users.
    for (const { service, user } of units()) if (user === userOf(service)) await ensureUser(service)
    writeJsonDurably(join(folder, files.guard), guard)
    const { rules } = await this.#rules(guard)
    await this.#load(rules)
    await this.#activate()
    if (guard.mode === 'enforce' && before !== null && JSON.stringify(before) !== JSON.stringify(guard))
      await endRefused(rules)
  }

  async #restore(guard: Guard): Promise<void> {
    const { rules } = await this.#rules(guard)
    await this.#load(rules)
    await this.#activate()
    // Those that began meanwhile.
    if (guard.mode === 'enforce') await endRefused(rules)
  }

  /** Only an active unit loads the rules again with those of the machine. */
  async #activate(): Promise<void> {
    const { hasUnit = true } = this.#options
    if (hasUnit && !(await isActive(firewallUnit))) await systemctl('start', firewallUnit)
  }

  async #drop(): Promise<void> {
    const { folder } = this.#options
    if (!existsSync(this.#file) && this.#guard() === null) return
    await transact(withoutTable)
    for (const name of [files.rules, files.guard]) removeFileDurably(join(folder, name))
  }

  /** A start waits for this: only the elements that changed, where it is known what the kernel holds. */
  async #apply(guard: Guard): Promise<void> {
    const { rules } = await this.#rules(guard)
    const before = this.#written()
    if (isStaged(this.#file) || !hasSameRules(rules, before)) return this.#load(rules)
    const changed = changedText(rules, before)
    if (changed !== '') await this.#load(rules, [changed])
  }

  /**
   * Makes the kernel and the file hold these rules, by the first of these commands that nft accepts, or by the whole
   * table. The disk writes while nft runs, but the file is replaced only then: it always holds rules that nft has
   * accepted, which the unit loads at boot and the next change starts from. After a crash in between, the new file beside
   * it says that nobody knows what the kernel holds.
   */
  async #load(rules: TableRules, shorter: readonly string[] = []): Promise<void> {
    const text = tableText(rules)
    // The whole table if somebody has removed it, and a new one if an older version's sets have other types.
    const accepted = transactFirst([...shorter, text, `${withoutTable}${text}`])
    let replace = (): void => {}
    try {
      replace = stageFile(this.#file, text)
    } finally {
      await accepted
    }
    replace()
  }

  #written(): string {
    return existsSync(this.#file) ? readFileSync(this.#file, 'utf8') : ''
  }

  #guard(): Guard | null {
    return guardSchema.nullable().parse(readJson(join(this.#options.folder, files.guard)))
  }

  async #isThere(): Promise<boolean> {
    return (await exec([nftPath(), 'list', 'chain', 'inet', tableName, 'route'])).code === 0
  }

  async #rules(guard: Guard): Promise<{ rules: TableRules; here: UsersHere }> {
    const { units, userOf, free, balancers } = this.#options
    const all = units()
    const here = await usersHere([...all.map(({ user }) => user), ...guard.users, ...free])
    const ids = (names: readonly string[]): number[] => [0, ...names.flatMap((name) => here.idOf(name) ?? [])]
    const known = { free: ids(free), balancers: ids(balancers), idOf: here.idOf, userOf }
    return { rules: rulesOf(guard, all, known), here }
  }

  async #counted(guard: Guard): Promise<Pick<Seen, 'calls' | 'problems'>> {
    const { units, userOf } = this.#options
    const all = units()
    const here = await usersHere(all.map(({ user }) => user))
    const callers = new Map(
      [
        ...all.map(({ service, user }) => [user, service]),
        ...servicesIn(guard).map((one) => [userOf(one), one]),
      ].flatMap(([user = '', service = '']) => {
        const id = here.idOf(user)
        return id === null ? [] : [[id, service] as const]
      }),
    )
    const routes = new Map(guard.routes.map(({ address, port, service }) => [`${address} ${port}`, service]))
    const owners = new Map(all.flatMap(({ port, service }) => (port === null ? [] : [[port, service] as const])))
    const callerOf = (uid: number): string => callers.get(uid) ?? `user ${here.nameOf(uid)}`
    const [seen, refused, refusedPorts, strangers, metadata] = await Promise.all(
      ['seen', 'refused', 'refused_ports', 'strangers', 'refused_metadata'].map(listed),
    )
    const names = {
      callerOf,
      routeOf: (route: string) => routes.get(route) ?? null,
      ownerOf: (port: number) => owners.get(port) ?? null,
    }
    return {
      calls: callsOf({ seen: seen ?? [], refused: refused ?? [], refusedPorts: refusedPorts ?? [] }, names),
      problems: [
        ...(strangers ?? []).flatMap(({ words: [uid, port] }) => {
          const [service, caller] = [owners.get(Number(port)), callerOf(Number(uid))]
          // A service may have answered before the rules knew its port.
          if (service === undefined || service === caller) return []
          return [`${caller} answered on port ${port}, which is that of ${service}`]
        }),
        ...(metadata ?? []).flatMap(({ words: [uid] }) => metadataProblem(guard, callerOf(Number(uid)))),
      ],
    }
  }
}

function metadataProblem({ mode, metadata }: Guard, service: string): string[] {
  if (metadata === undefined || metadata.includes(service)) return []
  const refused = mode === 'enforce' ? 'was refused' : '`enforce` would refuse it'
  const use = `uses: [{ address: "${metadataUses[0]}" }]`
  return [
    `${service} connected to ${metadataAddresses.ip}, where clouds give away the rights of the machine: ${refused}; if it needs them: ${use}`,
  ]
}

const servicesIn = ({ routes }: Guard): string[] => [
  ...new Set(routes.flatMap(({ service, callers }) => [service, ...callers])),
]

async function listed(set: string): Promise<Counted[]> {
  return countedIn(await execOrThrow([nftPath(), '-j', 'list', 'set', 'inet', tableName, set]))
}

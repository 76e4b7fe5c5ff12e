import { objectKey, splitKey, type ObjectKey } from './objectKey.ts'
import { References } from './references.ts'
import type { ReleaseStore } from './releaseStore.ts'

export interface CollectionPolicy {
  /** Releases that are never collected: running ones, both ends of a rollout, the previous completed release. */
  keep: ReadonlySet<string>
  /** Number of further releases per service that are kept, newest first, as far as the byte cap permits. */
  lastPerService: number
  /** Cap on the stored bytes; `null` means no cap. */
  capBytes: number | null
  /** Published releases, `at` in ISO 8601 or milliseconds. A release that is neither here nor in `keep` is removed. */
  published: readonly { release: string; service: string; at: string | number }[]
  /** Objects of pushes in progress; everything below them is kept too. */
  leased?: ReadonlySet<ObjectKey>
  /** Bytes that a kept release takes besides its objects. */
  extraBytes?: (release: string) => number
}

export interface Collected {
  removedReleases: string[]
  removedObjects: number
  removedBytes: number
  /** Bytes of everything that is kept, extra bytes included. */
  keptBytes: number
}

export const defaultLastPerService = 5

/** The objects that a collection would remove. */
export interface CollectionPlan {
  /** In the order of removal, parents before children. */
  doomed: ObjectKey[]
  collected: Collected
}

/** Removes the objects that `planCollection` names. Nothing may write to the store meanwhile. */
export async function collect(
  store: ReleaseStore,
  policy: CollectionPolicy,
  references = new References(),
): Promise<Collected> {
  const { doomed, collected } = await planCollection(store, policy, references)
  await store.remove(doomed)
  return collected
}

/** Marks everything that is kept over the Merkle trees; the rest may be removed. */
export async function planCollection(
  store: ReleaseStore,
  policy: CollectionPolicy,
  references = new References(),
): Promise<CollectionPlan> {
  const sizes = new Map<ObjectKey, number>()
  for await (const { key, bytes } of store.list()) sizes.set(key, (sizes.get(key) ?? 0) + bytes)
  references.keep(sizes)
  const graph = new Graph(store, references)
  const marked = new Set<ObjectKey>()
  let keptBytes = 0
  const mark = (reached: Iterable<ObjectKey>, extra: number): void => {
    for (const key of reached) {
      if (!marked.has(key)) keptBytes += sizes.get(key) ?? 0
      marked.add(key)
    }
    keptBytes += extra
  }

  for (const key of policy.leased ?? []) mark(await graph.reach(key, marked), 0)
  for (const release of policy.keep) {
    mark(await graph.reach(objectKey('manifest', release), marked), policy.extraBytes?.(release) ?? 0)
  }
  for (const release of lastReleases(policy)) {
    const manifest = objectKey('manifest', release)
    if (!sizes.has(manifest) || policy.keep.has(release)) continue
    const reached = await graph.reach(manifest, marked)
    const extra = policy.extraBytes?.(release) ?? 0
    const added = [...reached].reduce((sum, key) => sum + (sizes.get(key) ?? 0), extra)
    if (policy.capBytes !== null && keptBytes + added > policy.capBytes) continue
    mark(reached, extra)
  }

  const doomed = await parentsFirst(
    [...sizes.keys()].filter((key) => !marked.has(key)),
    graph,
  )
  const collected = {
    removedReleases: doomed.filter((key) => splitKey(key).kind === 'manifest').map((key) => splitKey(key).id),
    removedObjects: doomed.length,
    removedBytes: doomed.reduce((sum, key) => sum + (sizes.get(key) ?? 0), 0),
    keptBytes,
  }
  return { doomed, collected }
}

/** Removes damaged or lost objects and every tree and manifest above them, so that everything left is complete. */
export async function retract(store: ReleaseStore, lost: ReadonlySet<ObjectKey>): Promise<void> {
  const graph = new Graph(store, new References())
  const keys: ObjectKey[] = []
  for await (const { key } of store.list()) if (splitKey(key).kind !== 'blob') keys.push(key)
  const doomed = new Set(lost)
  for (const key of (await parentsFirst(keys, graph)).toReversed()) {
    if ((await graph.children(key)).some((child) => doomed.has(child))) doomed.add(key)
  }
  await store.remove(await parentsFirst([...doomed], graph))
}

/**
 * The last releases of each service: all the newest first, then all the second newest, so that services share the cap
 * fairly.
 */
function lastReleases({ published, lastPerService }: CollectionPolicy): string[] {
  const newestFirst = published.toSorted((a, b) => Number(new Date(b.at)) - Number(new Date(a.at)))
  const ranks = new Map<string, Set<string>>()
  const ranked: { release: string; rank: number }[] = []
  for (const { release, service } of newestFirst) {
    const ofService = ranks.get(service) ?? new Set()
    ranks.set(service, ofService)
    if (ofService.has(release) || ofService.size >= lastPerService) continue
    ranked.push({ release, rank: ofService.size })
    ofService.add(release)
  }
  return ranked.toSorted((a, b) => a.rank - b.rank).map(({ release }) => release)
}

/** References of objects, each read once. */
class Graph {
  readonly #store: ReleaseStore
  readonly #references: References
  readonly #children = new Map<ObjectKey, readonly ObjectKey[]>()

  constructor(store: ReleaseStore, references: References) {
    this.#store = store
    this.#references = references
  }

  async children(key: ObjectKey): Promise<readonly ObjectKey[]> {
    const known = this.#children.get(key)
    if (known) return known
    const read = await this.#references.of(this.#store, key)
    this.#children.set(key, read)
    return read
  }

  /** Returns the key and everything below it, except the keys in `known`. */
  async reach(key: ObjectKey, known: ReadonlySet<ObjectKey>): Promise<Set<ObjectKey>> {
    const reached = new Set<ObjectKey>()
    const ahead = [key]
    for (let next = ahead.pop(); next !== undefined; next = ahead.pop()) {
      if (known.has(next) || reached.has(next)) continue
      reached.add(next)
      ahead.push(...(await this.children(next)))
    }
    return reached
  }
}

async function parentsFirst(keys: ObjectKey[], graph: Graph): Promise<ObjectKey[]> {
  const wanted = new Set(keys)
  const childrenFirst = new Set<ObjectKey>()
  const entered = new Set<ObjectKey>()
  const visit = async (key: ObjectKey): Promise<void> => {
    if (!wanted.has(key) || entered.has(key)) return
    entered.add(key)
    for (const child of await graph.children(key)) await visit(child)
    childrenFirst.add(key)
  }
  for (const key of keys) await visit(key)
  return [...childrenFirst].toReversed()
}

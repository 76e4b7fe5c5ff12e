import { OperatorError } from '../lib/operatorError.ts'
import { childrenOf } from './objectChildren.ts'
import { objectKey, splitKey, type ObjectKey } from './objectKey.ts'
import type { ReleaseStore } from './releaseStore.ts'

export interface CollectionPolicy {
  /** Releases that are never collected: what runs, both ends of a rollout, the previous completed release. */
  keep: ReadonlySet<string>
  /** Kept too, newest first, as far as the byte cap lets them. */
  lastPerService: number
  /** Bytes as they are kept; `null`: no cap. */
  capBytes: number | null
  /** What was published, `at` in ISO 8601 or milliseconds. A release that is neither here nor in `keep` goes. */
  published: readonly { release: string; service: string; at: string | number }[]
  /** Objects of pushes in progress, with all below them. */
  leased?: ReadonlySet<ObjectKey>
  /** Bytes that a kept release takes besides its objects. */
  extraBytes?: (release: string) => number
}

export interface Collected {
  removedReleases: string[]
  removedObjects: number
  removedBytes: number
  /** What is kept, extra bytes included. */
  keptBytes: number
}

export const defaultLastPerService = 5

/** What a collection would remove. */
export interface CollectionPlan {
  /** Parents before children. */
  doomed: ObjectKey[]
  collected: Collected
}

/** Removes what `planCollection` names. Nothing may write meanwhile. */
export async function collect(store: ReleaseStore, policy: CollectionPolicy): Promise<Collected> {
  const { doomed, collected } = await planCollection(store, policy)
  await store.remove(doomed)
  return collected
}

/** Marks what is kept over the Merkle trees; the rest may go. */
export async function planCollection(store: ReleaseStore, policy: CollectionPolicy): Promise<CollectionPlan> {
  const sizes = new Map<ObjectKey, number>()
  for await (const { key, bytes } of store.list()) sizes.set(key, (sizes.get(key) ?? 0) + bytes)
  const graph = new Graph(store)
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

/** Removes damaged or lost objects and every tree and manifest above them, so that what is left keeps its promise. */
export async function retract(store: ReleaseStore, lost: ReadonlySet<ObjectKey>): Promise<void> {
  const graph = new Graph(store)
  const keys: ObjectKey[] = []
  for await (const { key } of store.list()) if (splitKey(key).kind !== 'blob') keys.push(key)
  const doomed = new Set(lost)
  for (const key of (await parentsFirst(keys, graph)).toReversed()) {
    if ((await graph.children(key)).some((child) => doomed.has(child))) doomed.add(key)
  }
  await store.remove(await parentsFirst([...doomed], graph))
}

/** The last ones of each service: all the newest first, then all the second newest, so that a cap is shared fairly. */
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

/** What objects refer to, read once each. A damaged or missing object refers to nothing: it cannot be kept whole anyway. */
class Graph {
  readonly #store: ReleaseStore
  readonly #children = new Map<ObjectKey, ObjectKey[]>()

  constructor(store: ReleaseStore) {
    this.#store = store
  }

  async children(key: ObjectKey): Promise<ObjectKey[]> {
    const known = this.#children.get(key)
    if (known) return known
    const read = await readChildren(this.#store, key)
    this.#children.set(key, read)
    return read
  }

  /** The key and all below it, except what is in `known`. */
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

async function readChildren(store: ReleaseStore, key: ObjectKey): Promise<ObjectKey[]> {
  if (splitKey(key).kind === 'blob') return []
  try {
    return childrenOf(key, await store.get(key))
  } catch (error) {
    if (error instanceof OperatorError) return []
    throw error
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

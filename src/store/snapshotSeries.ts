import type { SnapshotKey } from './snapshotStore.ts'

/** Number of snapshots of other versions that are kept: the version before finds its own after a downgrade. */
const otherVersions = 2

/**
 * The snapshots that are not needed once there is one at `newest`. The ones that stay become rarer with their age: at
 * most one per doubling of the distance from the newest, counted in steps of `every`. So their number grows with the
 * logarithm of the log's length, a damaged one has a neighbour, and a past position has a snapshot before it that is
 * not much farther from the newest than the position itself.
 */
export function superseded(newest: SnapshotKey, others: readonly SnapshotKey[], every: number): SnapshotKey[] {
  const ages = new Map<number, SnapshotKey>()
  const own = others.filter(({ version, position }) => version === newest.version && position < newest.position)
  // The oldest of each age stays, so that one of them reaches the next age.
  for (const key of own.toSorted((a, b) => b.position - a.position)) ages.set(ageOf(newest, key, every), key)
  const stay = new Set(ages.values())
  const foreign = others.filter(({ version }) => version !== newest.version)
  for (const key of foreign.toSorted((a, b) => b.position - a.position).slice(0, otherVersions)) stay.add(key)
  return others.filter((key) => !stay.has(key))
}

const ageOf = (newest: SnapshotKey, { position }: SnapshotKey, every: number): number =>
  Math.floor(Math.log2(Math.max(1, (newest.position - position) / every)))

import type { LogRange } from './eventLog.ts'
import type { KeptSnapshot, SnapshotKey } from './snapshotStore.ts'

/** Number of snapshots of other versions that are kept: the version before finds its own after a downgrade. */
const otherVersions = 2
/** A damaged newest one has a neighbour, so that a start does not fold much more. */
const newestKept = 2

/** Bounds of the series of one version. */
export interface SeriesLimits {
  /** Number of positions from one old snapshot to the next, as long as all of them fit. */
  spacing: number
  count: number
  bytes: number
}

/**
 * A past position is at most two spacings after a snapshot, mostly half of one, so its state is computed within a second
 * also on a busy computer.
 */
export const seriesLimits: SeriesLimits = { spacing: 5_000, count: 1_000, bytes: 64 * 1024 * 1024 }

/**
 * The snapshots that need not be kept, of all there are and a log that ends at `end`. The first one of each stretch of
 * the log stays. A stretch is as long as the spacing, or twice, four times … as long, until all fit: so the ones that
 * stay for longer stretches are among those of shorter ones.
 */
export function superseded(
  version: string,
  end: number,
  all: readonly KeptSnapshot[],
  limits: SeriesLimits,
): SnapshotKey[] {
  const own = ownOf(version, end, all)
  const stretch = stretchOf(own, end, limits)
  const seen = new Set<number>()
  const stay = own.filter(({ position }) => {
    const index = Math.floor(position / stretch)
    const isFirst = !seen.has(index)
    seen.add(index)
    return isFirst
  })
  const foreign = all.filter((key) => key.version !== version).toSorted((a, b) => b.position - a.position)
  const needed = new Set([...stay, ...own.slice(-newestKept), ...foreign.slice(0, otherVersions)])
  return all.filter((key) => !needed.has(key)).map(({ version: of, position }) => ({ version: of, position }))
}

/** The stretches without a snapshot, of a log that ends at `end`; oldest first. */
export function missing(version: string, end: number, all: readonly KeptSnapshot[], limits: SeriesLimits): LogRange[] {
  const own = ownOf(version, end, all)
  // Sizes differ: with less room, none is made that the next one would supersede.
  const stretch = stretchOf(own, end, { ...limits, bytes: 0.75 * limits.bytes })
  const covered = new Set(own.map(({ position }) => Math.floor(position / stretch)))
  const indexes = Array.from({ length: Math.floor(end / stretch) }, (_, index) => index + 1)
  return indexes
    .filter((index) => !covered.has(index))
    .map((index) => ({ after: index * stretch - 1, before: (index + 1) * stretch }))
}

/** Oldest first. */
const ownOf = (version: string, end: number, all: readonly KeptSnapshot[]): KeptSnapshot[] =>
  all.filter((key) => key.version === version && key.position <= end).toSorted((a, b) => a.position - b.position)

/** The shortest stretch of which a log up to `end` has few enough, with snapshots of the usual size. */
function stretchOf(own: readonly KeptSnapshot[], end: number, { spacing, count, bytes }: SeriesLimits): number {
  const usual = own.reduce((sum, one) => sum + one.bytes, 0) / Math.max(1, own.length)
  let stretch = spacing
  for (; end / stretch > count || (end / stretch) * usual > bytes; stretch *= 2);
  return stretch
}

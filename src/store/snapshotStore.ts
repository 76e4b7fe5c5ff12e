/** A snapshot: `content` is everything that the events up to `position` gave, as `version` of the fold writes it. */
export interface SnapshotKey {
  version: string
  position: number
}

export interface KeptSnapshot extends SnapshotKey {
  /** Length of the content. */
  bytes: number
}

/**
 * Snapshots on disk, beside the event log. Losing one costs time, never data. Every implementation passes
 * `snapshotStoreConformance.ts`.
 */
export interface SnapshotStore {
  /** All snapshots, of every version, without their content; newest first. */
  list(): Promise<KeptSnapshot[]>
  /** The content as it was stored; `null` if there is no such snapshot. */
  read(key: SnapshotKey): Promise<Uint8Array | null>
  /** Stores a snapshot and removes `superseded`, or does neither. */
  put(key: SnapshotKey, content: Uint8Array, superseded: readonly SnapshotKey[]): Promise<void>
}

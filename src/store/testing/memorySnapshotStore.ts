import type { KeptSnapshot, SnapshotKey, SnapshotStore } from '../snapshotStore.ts'

export class MemorySnapshotStore implements SnapshotStore {
  readonly kept = new Map<string, SnapshotKey & { content: Uint8Array }>()

  async list(): Promise<KeptSnapshot[]> {
    return [...this.kept.values()]
      .map(({ version, position, content }) => ({ version, position, bytes: content.length }))
      .toSorted((a, b) => b.position - a.position)
  }

  async read(key: SnapshotKey): Promise<Uint8Array | null> {
    return this.kept.get(nameOf(key))?.content ?? null
  }

  async put(key: SnapshotKey, content: Uint8Array, superseded: readonly SnapshotKey[]): Promise<void> {
    for (const old of superseded) this.kept.delete(nameOf(old))
    this.kept.set(nameOf(key), { ...key, content })
  }
}

const nameOf = ({ version, position }: SnapshotKey): string => `${position}/${version}`

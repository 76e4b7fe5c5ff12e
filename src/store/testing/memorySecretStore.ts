import type { SecretStore, StoredVersion, WrappedKey } from '../secretStore.ts'

export class MemorySecretStore implements SecretStore {
  versions: StoredVersion[] = []

  async put(version: StoredVersion): Promise<void> {
    await this.destroy(version.path, [version.version])
    this.versions.push(version)
  }

  async get(path: string, version: number): Promise<StoredVersion | null> {
    return this.versions.find((one) => one.path === path && one.version === version) ?? null
  }

  async destroy(path: string, versions: readonly number[]): Promise<void> {
    this.versions = this.versions.filter((one) => one.path !== path || !versions.includes(one.version))
  }

  async keys(): Promise<WrappedKey[]> {
    return this.versions
      .map(({ path, version, root, wrapped }) => ({ path, version, root, wrapped }))
      .toSorted((a, b) => (a.path === b.path ? a.version - b.version : a.path < b.path ? -1 : 1))
  }

  async rewrap(keys: readonly WrappedKey[]): Promise<void> {
    this.versions = this.versions.map((one) => ({
      ...one,
      ...keys.find(({ path, version }) => path === one.path && version === one.version),
    }))
  }
}

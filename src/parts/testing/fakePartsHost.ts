import type { OwnFolder } from '../parts.ts'
import type { FolderOnDisk, PartsHost, UnitOnDisk } from '../partsHost.ts'

/** A machine in memory. `killAt` counts calls that change it, down to the one that never returns to its caller. */
export class FakePartsHost implements PartsHost {
  readonly units = new Map<string, UnitOnDisk>()
  readonly users = new Set<string>()
  readonly groups = new Set<string>()
  readonly folders = new Map<string, FolderOnDisk>()
  /** Folders that hold files: they are removed only as a whole. */
  readonly filled = new Set<string>()
  /** Text under which each unit runs. */
  readonly running = new Map<string, string>()
  readonly takenUp: string[] = []
  /** Called when a unit has taken up its text. */
  tookUp: (name: string) => void = () => {}
  killAt = Number.POSITIVE_INFINITY
  killed = Promise.withResolvers<void>()

  /** Everything that a test compares. */
  get state(): object {
    const sorted = <T>(map: Map<string, T>): [string, T][] =>
      [...map].toSorted(([one], [other]) => (one < other ? -1 : 1))
    return {
      units: sorted(this.units),
      users: [...this.users].toSorted(),
      groups: [...this.groups].toSorted(),
      folders: sorted(this.folders),
    }
  }

  async readUnit(name: string): Promise<UnitOnDisk | null> {
    return this.units.get(name) ?? null
  }
  async writeUnit(name: string, { text, isEnabled, command }: Parameters<PartsHost['writeUnit']>[1]): Promise<void> {
    const kept = this.units.get(name)?.command ?? null
    await this.#call(() => this.units.set(name, { text, isEnabled, command: command === undefined ? kept : command }))
  }
  async removeUnit(name: string): Promise<void> {
    await this.#call(() => {
      this.units.delete(name)
      this.running.delete(name)
    })
  }
  async takeUp(name: string): Promise<void> {
    await this.#call(() => {
      this.takenUp.push(name)
      const unit = this.units.get(name)
      if (unit?.isEnabled) this.running.set(name, unit.text)
      else this.running.delete(name)
      this.tookUp(name)
    })
  }
  async hasUser(name: string): Promise<boolean> {
    return this.users.has(name)
  }
  async addUser(name: string): Promise<void> {
    await this.#call(() => this.users.add(name))
  }
  async removeUser(name: string): Promise<void> {
    await this.#call(() => this.users.delete(name))
  }
  async hasGroup(name: string): Promise<boolean> {
    return this.groups.has(name)
  }
  async addGroup(name: string): Promise<void> {
    await this.#call(() => this.groups.add(name))
  }
  async removeGroup(name: string): Promise<void> {
    await this.#call(() => this.groups.delete(name))
  }
  async readFolder(path: string): Promise<FolderOnDisk | null> {
    return this.folders.get(path) ?? null
  }
  async ensureFolder({ path, mode, owner, group }: OwnFolder): Promise<void> {
    const number = (name: string): number => (name === 'root' ? 0 : name.length)
    await this.#call(() => this.folders.set(path, { mode, uid: number(owner), gid: number(group), owner, group }))
  }
  async putFolder(path: string, about: FolderOnDisk): Promise<void> {
    await this.#call(() => this.folders.set(path, about))
  }
  async removeFolder(path: string, whole: boolean): Promise<boolean> {
    if (this.filled.has(path) && !whole) return false
    await this.#call(() => {
      this.folders.delete(path)
      this.filled.delete(path)
    })
    return true
  }

  async sync(): Promise<void> {
    await this.#call(() => {})
  }

  /** A kill comes before the effect or after it; the killed caller never sees the result. */
  async #call(effect: () => void): Promise<void> {
    this.killAt--
    if (this.killAt !== 0) effect()
    if (this.killAt === 0 || this.killAt === -0.5) {
      this.killed.resolve()
      await new Promise(() => {})
    }
  }
}

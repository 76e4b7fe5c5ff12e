import type { Installation, OwnUnit } from './parts.ts'
import type { Leftover, PartsFiles, PartsRecord, PartsState, Program } from './partsFiles.ts'
import type { PartsHost } from './partsHost.ts'

interface Around {
  files: PartsFiles
  host: PartsHost
  /** The unit that the upgrade tries. The trial changes its command line, and those of `alsoTried`. */
  unit: string
  alsoTried: readonly string[]
}

/** A program whose parts are installed. */
interface Setup {
  version: string
  digest: string
  /** Key of the trial; `null`: there is none. */
  key: string | null
  /** The program that ran before; `null`: a package has replaced it, so nothing returns to it. */
  from: Program | null
  /** The command line that runs this program with these words; `null`: it is the installed program. */
  command: (words: readonly string[]) => readonly string[] | null
}

export type PartsNames = Pick<PartsRecord, 'users' | 'groups' | 'folders' | 'units'>

/**
 * A change of Tandem's own parts on a machine, and the way back.
 *
 * - A change begins with the state before, on disk; nothing has changed until then.
 * - It then makes the new parts (`install`), or those that an earlier program had (`goBackTo`). Both may be repeated.
 * - It ends with `keep` or with `undo`. Users and folders that are not needed any more are removed only then.
 *
 * Killed at any point and restarted, it continues: every step finds out what is left to do.
 */
export class PartsChange {
  readonly #around: Around

  constructor(around: Around) {
    this.#around = around
  }

  /** Key of the change in progress; `undefined`: there is none. */
  get key(): string | null | undefined {
    return this.#around.files.change?.key
  }

  /** Digest of the parts that were installed last; `undefined`: an older version installed them. */
  get installed(): string | undefined {
    return this.#around.files.record?.digest
  }

  /** Installs these parts. The unit itself restarts last, so that its program confirms under its new unit. */
  async install(wanted: Installation, setup: Setup): Promise<void> {
    const { files, host, unit } = this.#around
    const names = namesOf(wanted)
    await this.#begin(setup, names, (record) => without(record, names))
    await this.#touch(wanted.units)
    for (const name of (files.change?.before.record?.units ?? []).filter((one) => !names.units.includes(one)))
      await host.removeUnit(name)
    await installParts(wanted, host, ({ name, words }) =>
      this.#isTried(name) ? undefined : words && setup.command(words),
    )
    const { version, digest } = setup
    files.record = { version, digest, ...names }
    await this.#takeUp()
    await host.takeUp(unit)
  }

  /** Makes the parts that this program had when it ran last. False if they are not known: then the present ones stay. */
  async goBackTo(program: Program, { key, from }: { key: string; from: Program }): Promise<boolean> {
    const { files } = this.#around
    const saved = files.saved(program)
    if (!saved) return false
    const state = complete(saved.state, files.record)
    await this.#begin({ key, from }, namesIn(state), () => ({
      ...absentIn(state),
      whole: saved.key !== null && isOfSameUpgrade(saved.key, key),
    }))
    await this.#make(state)
    return true
  }

  /** The change is final. The parts before are saved for a return to their program. */
  async keep(): Promise<void> {
    const { files } = this.#around
    const { change } = files
    if (!change) return
    const { key, from, before, leftover } = change
    await this.#remove(leftover)
    if (from !== null) files.save(from, { key, state: before })
    files.change = null
  }

  /** Makes everything as it was before. `restarts`: the unit itself takes it up too, and not by the caller. */
  async undo({ restarts }: { restarts: boolean }): Promise<void> {
    const { files, host, unit } = this.#around
    const { change } = files
    if (!change) return
    await this.#make(change.before)
    if (restarts) await host.takeUp(unit)
    await this.#remove({ ...absentIn(change.before), whole: true })
    files.change = null
  }

  async #begin(
    { key, from }: Pick<Setup, 'key' | 'from'>,
    names: PartsNames,
    leftoverOf: (record: PartsRecord | null) => Leftover,
  ): Promise<void> {
    const { files } = this.#around
    if (files.change?.key === key) return
    const { record } = files
    const before = await this.#stateOf(union(names, record ?? noNames))
    files.change = { key, from, before, leftover: leftoverOf(record), touched: [] }
  }

  async #stateOf(names: PartsNames): Promise<PartsState> {
    const { files, host } = this.#around
    const state: PartsState = { record: files.record, units: {}, users: {}, groups: {}, folders: {} }
    for (const name of names.units) {
      const unit = await host.readUnit(name)
      state.units[name] = unit && { ...unit, command: unit.command && [...unit.command] }
    }
    for (const name of names.users) state.users[name] = await host.hasUser(name)
    for (const name of names.groups) state.groups[name] = await host.hasGroup(name)
    for (const path of names.folders) state.folders[path] = host.readFolder(path)
    return state
  }

  /** Users and folders that the state lacks stay. */
  async #make(state: PartsState): Promise<void> {
    const { files, host } = this.#around
    const units = Object.entries(state.units)
    for (const [name, wanted] of units.toReversed())
      if (!wanted && (await host.readUnit(name))) await host.removeUnit(name)
    for (const [name, had] of Object.entries(state.groups)) if (had) await host.addGroup(name)
    for (const [name, had] of Object.entries(state.users)) if (had) await host.addUser(name)
    for (const [path, about] of Object.entries(state.folders))
      if (about && host.readFolder(path)) host.putFolder(path, about)
    const there = units.flatMap(([name, wanted]) => (wanted ? [{ name, ...wanted }] : []))
    await this.#touch(there)
    for (const { name, command, ...rest } of there)
      await host.writeUnit(name, this.#isTried(name) ? rest : { ...rest, command })
    files.record = state.record
    await this.#takeUp()
  }

  async #remove({ users, groups, folders, whole }: Leftover): Promise<void> {
    const { host } = this.#around
    let isKept = false
    for (const path of folders.toReversed()) if (!(await host.removeFolder(path, whole))) isKept = true
    // The number of a removed user may be given to another one, who could then read the folder.
    if (isKept) return
    for (const name of users) await host.removeUser(name)
    for (const name of groups) await host.removeGroup(name)
  }

  /** Remembers which of these units get another text. */
  async #touch(units: readonly { name: string; text: string }[]): Promise<void> {
    const { files, host } = this.#around
    const { change } = files
    if (!change) return
    const touched = new Set(change.touched)
    for (const { name, text } of units) if ((await host.readUnit(name))?.text !== text) touched.add(name)
    if (touched.size > change.touched.length) files.change = { ...change, touched: [...touched] }
  }

  /** The unit itself is restarted by the caller. */
  async #takeUp(): Promise<void> {
    const { files, host, unit } = this.#around
    for (const name of files.change?.touched ?? [])
      if (name !== unit && (await host.readUnit(name))) await host.takeUp(name)
  }

  #isTried(name: string): boolean {
    const { unit, alsoTried } = this.#around
    return name === unit || alsoTried.includes(name)
  }
}

/**
 * Makes everything of the description that is missing or different, for the next start of each unit. `commandOf` gives
 * the command line that replaces the one in the unit; `undefined` leaves it as it is.
 */
export async function installParts(
  { users, groups, folders, units }: Installation,
  host: PartsHost,
  commandOf: (unit: OwnUnit) => readonly string[] | null | undefined = () => undefined,
): Promise<void> {
  for (const name of groups) await host.addGroup(name)
  for (const name of users) await host.addUser(name)
  for (const folder of folders) await host.ensureFolder(folder)
  for (const unit of units) {
    const { name, text, isEnabled } = unit
    const command = commandOf(unit)
    await host.writeUnit(name, command === undefined ? { text, isEnabled } : { text, isEnabled, command })
  }
}

export const namesOf = ({ users, groups, folders, units }: Installation): PartsNames => ({
  users,
  groups,
  folders: folders.map(({ path }) => path),
  units: units.map(({ name }: OwnUnit) => name),
})

const noNames: PartsNames = { users: [], groups: [], folders: [], units: [] }

const namesIn = (state: PartsState): PartsNames => ({
  users: Object.keys(state.users),
  groups: Object.keys(state.groups),
  folders: Object.keys(state.folders),
  units: Object.keys(state.units),
})

export const union = (one: PartsNames, other: PartsNames): PartsNames => ({
  users: [...new Set([...one.users, ...other.users])],
  groups: [...new Set([...one.groups, ...other.groups])],
  folders: [...new Set([...one.folders, ...other.folders])],
  units: [...new Set([...one.units, ...other.units])],
})

const keysOf = <T>(record: Record<string, T>, is: (value: T) => boolean): string[] =>
  Object.entries(record).flatMap(([name, value]) => (is(value) ? [name] : []))

const absentIn = ({ users, groups, folders }: PartsState): Omit<Leftover, 'whole'> => ({
  users: keysOf(users, (had) => !had),
  groups: keysOf(groups, (had) => !had),
  folders: keysOf(folders, (about) => about === null),
})

/** Everything that is on the machine now and that the state does not name was not there then. */
const complete = (state: PartsState, record: PartsRecord | null): PartsState => {
  const { units, users, groups, folders } = record ?? noNames
  return {
    record: state.record,
    units: { ...Object.fromEntries(units.map((name) => [name, null])), ...state.units },
    users: { ...Object.fromEntries(users.map((name) => [name, false])), ...state.users },
    groups: { ...Object.fromEntries(groups.map((name) => [name, false])), ...state.groups },
    folders: { ...Object.fromEntries(folders.map((path) => [path, null])), ...state.folders },
  }
}

/** Of the names in the record, those that are not wanted any more. Data that a part has left stays. */
const without = (record: PartsRecord | null, wanted: PartsNames): Leftover => {
  const rest = (kind: 'users' | 'groups' | 'folders'): string[] =>
    (record?.[kind] ?? []).filter((name) => !wanted[kind].includes(name))
  return { users: rest('users'), groups: rest('groups'), folders: rest('folders'), whole: false }
}

/** A key is UPGRADE/DIRECTION. */
const isOfSameUpgrade = (one: string, other: string): boolean => one.split('/')[0] === other.split('/')[0]

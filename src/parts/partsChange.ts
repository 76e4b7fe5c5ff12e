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
  /** `installed`, or a release. */
  program: string
  /** Key of the trial; `null`: there is none. */
  key: string | null
  /** The program that ran before; `null`: a package has replaced it, so nothing returns to it. */
  from: Program | null
  /** The program that is installed. */
  base: Program
  /** The command line that runs this program with these words; `null`: it is the installed program. */
  command: (words: readonly string[]) => readonly string[] | null
}

/** A return in a trial. */
type Return = { key: string } & { [Which in 'from' | 'base']: Program }

export type PartsNames = Pick<PartsRecord, 'users' | 'groups' | 'folders' | 'units'>

/**
 * A change of Tandem's own parts on a machine, and the way back.
 *
 * - A change begins with the state before, on disk; nothing has changed until then.
 * - It then makes the new parts (`install`), or those that an earlier program had (`goBackTo`). Both may be repeated.
 * - It ends with `keep` or with `undo`. Users and folders that are not needed any more are removed only then.
 *
 * After a kill or a loss of power at any point, it continues: every step finds out what is left to do, and the effects of
 * a step are on disk before a record says so. Only one process at a time may change the parts (`changeParts.ts`).
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

  /** The program that has set up the present parts; `null`: not known, or a version that keeps no record. */
  get owner(): Program | null {
    const { record } = this.#around.files
    return record && record.program !== null ? { id: record.program, version: record.version } : null
  }

  /** True if a version that keeps a record has set up the present parts. */
  get hasRecord(): boolean {
    return this.#around.files.record !== null
  }

  /** Installs these parts. The unit itself restarts last, so that its program confirms under its new unit. */
  async install(wanted: Installation, setup: Setup): Promise<void> {
    const { host, unit, files } = this.#around
    const names = namesOf(wanted)
    await this.#begin(setup, names, (record) => without(record, names))
    await this.#touch(wanted.units)
    for (const name of (files.change?.before.record?.units ?? []).filter((one) => !names.units.includes(one)))
      await host.removeUnit(name)
    await installParts(wanted, host, ({ name, words }) =>
      this.#isTried(name) ? undefined : words && setup.command(words),
    )
    const { version, digest, program } = setup
    await this.#recordAs({ version, digest, program, ...names })
    await this.#takeUp()
    await host.takeUp(unit)
  }

  /** Makes the parts that this program had when it ran last. False if they are not known: then the present ones stay. */
  async goBackTo(program: Program, { key, from, base }: Return): Promise<boolean> {
    const { files } = this.#around
    const saved = files.saved(program)
    if (!saved) return false
    const state = complete(saved.state, files.record)
    await this.#begin({ key, from, base }, namesIn(state), () => ({
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
    const { key, from, base, before, leftover } = change
    if (from !== null) files.save(from, { key, state: before })
    // Only versions that keep no record have run here before, so the installed program had the same parts.
    if (from !== null && base !== null && before.record === null && files.saved(base) === null)
      files.save(base, { key, state: before })
    await this.#remove(leftover)
    await this.#endChange(namesIn(before))
  }

  /** Makes everything as it was before. `restarts`: the unit itself takes it up too, and not by the caller. */
  async undo({ restarts }: { restarts: boolean }): Promise<void> {
    const { files, host, unit } = this.#around
    const { change } = files
    if (!change) return
    await this.#make(change.before)
    if (restarts) await host.takeUp(unit)
    await this.#remove({ ...absentIn(change.before), whole: true })
    await this.#endChange(namesIn(change.before))
  }

  async #begin(
    { key, from, base }: Pick<Setup, 'key' | 'from' | 'base'>,
    names: PartsNames,
    leftoverOf: (record: PartsRecord | null) => Leftover,
  ): Promise<void> {
    const { files, host } = this.#around
    if (files.change?.key === key) return
    const { record } = files
    const before = await this.#stateOf(union(names, record ?? noNames))
    // Also the unit of this process: after a loss of power it has to continue.
    await host.sync(names.folders)
    files.change = { key, from, base, before, leftover: leftoverOf(record), touched: [] }
  }

  async #recordAs(record: PartsRecord | null): Promise<void> {
    const { files, host } = this.#around
    await host.sync(files.change ? namesIn(files.change.before).folders : [])
    files.record = record
  }

  async #endChange({ folders }: PartsNames): Promise<void> {
    const { files, host } = this.#around
    await host.sync(folders)
    files.change = null
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
    for (const path of names.folders) state.folders[path] = await host.readFolder(path)
    return state
  }

  /** Users and folders that the state lacks stay. */
  async #make(state: PartsState): Promise<void> {
    const { host } = this.#around
    const units = Object.entries(state.units)
    for (const [name, wanted] of units.toReversed()) if (!wanted) await host.removeUnit(name)
    for (const [name, had] of Object.entries(state.groups)) if (had) await host.addGroup(name)
    for (const [name, had] of Object.entries(state.users)) if (had) await host.addUser(name)
    for (const [path, about] of Object.entries(state.folders)) if (about) await host.putFolder(path, about)
    const there = units.flatMap(([name, wanted]) => (wanted ? [{ name, ...wanted }] : []))
    await this.#touch(there)
    for (const { name, command, ...rest } of there)
      await host.writeUnit(name, this.#isTried(name) ? rest : { ...rest, command })
    await this.#recordAs(state.record)
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

import { longestString } from './expand.ts'
import { inheritedNames, tandemNames } from './names.ts'
import { isPlaceholderName, placeholdersIn, type Placeholder } from './placeholders.ts'
import { nearest } from './suggest.ts'
import type { Path, YamlSource } from './yamlSource.ts'

type Env = Record<string, string>

/** The parts of a definition in which `${NAME}` is replaced. */
export interface Replaced {
  run: string[]
  prepare: string[] | null
  health: { command?: string[] }
  env: Env
  /** The `env` of each overlay; `{}` for an overlay without one. */
  overlays: Record<string, Env>
}

/** Reports every word of a command and every variable that is longer than the kernel accepts (execve(2)). */
export function checkLengths(replaced: Replaced, source: YamlSource): void {
  const { env, overlays } = replaced
  const check = (text: string, path: Path, what: string): void => {
    const bytes = Buffer.byteLength(text)
    if (bytes <= longestString) return
    const next = 'put it into a file of the release, and pass the file name'
    source.problem(
      path,
      `${what} ${bytes} bytes, and no program can be started with more than ${longestString}; ${next}`,
    )
  }
  for (const { word, path } of wordsOf(replaced)) check(word, path, 'a word has')
  const checkEnv = (values: Env, path: Path): void => {
    for (const [name, value] of Object.entries(values)) {
      check(`${name}=${value}`, [...path, name], 'the variable has, with its name,')
    }
  }
  checkEnv(env, ['env'])
  for (const [cluster, own] of Object.entries(overlays)) checkEnv(own, ['environments', cluster, 'env'])
}

/**
 * Reports every `${NAME}` that nothing sets, for the definition and for each overlay, and names that need each other in
 * a circle.
 */
export function checkPlaceholders(replaced: Replaced, source: YamlSource): void {
  const { env, overlays } = replaced
  for (const { word, path } of wordsOf(replaced)) checkText(word, path, null, replaced, source)
  for (const [name, value] of Object.entries(env)) checkText(value, ['env', name], name, replaced, source)
  checkCircles(env, (name) => ['env', name], new Set(Object.keys(env)), source)
  for (const [cluster, own] of Object.entries(overlays)) {
    const merged = { ...env, ...own }
    const pathOf = (name: string): Path =>
      Object.hasOwn(own, name) ? ['environments', cluster, 'env', name] : ['env', name]
    for (const [name, value] of Object.entries(own)) {
      const isUsable = (wanted: string): boolean => mayStand(wanted, name, [merged])
      for (const placeholder of wellFormed(value, pathOf(name), source, isUsable)) {
        if (isKnown(placeholder, merged)) continue
        refuseUnknown(placeholder, Object.keys(merged), pathOf(name), source, isUsable)
      }
    }
    if (Object.keys(own).length > 0) checkCircles(merged, pathOf, new Set(Object.keys(own)), source)
  }
}

/** Every word of every command. */
function wordsOf({ run, prepare, health }: Replaced): { word: string; path: Path }[] {
  const commands: [Path, string[]][] = [
    [['run'], run],
    [['prepare'], prepare ?? []],
    [['health', 'command'], health.command ?? []],
  ]
  return commands.flatMap(([path, words]) => words.map((word, index) => ({ word, path: [...path, index] })))
}

type Named = Placeholder & { name: string }

/** A text outside the overlays: its names may be set in `env`, or in every overlay. */
function checkText(text: string, path: Path, variable: string | null, replaced: Replaced, source: YamlSource): void {
  const { env, overlays } = replaced
  const entries = Object.entries(overlays)
  const isUsable = (wanted: string): boolean => {
    const replacing = entries.filter(([, own]) => variable === null || !Object.hasOwn(own, variable))
    return mayStand(wanted, variable, [env, ...replacing.map(([, own]) => ({ ...env, ...own }))])
  }
  for (const placeholder of wellFormed(text, path, source, isUsable)) {
    if (isKnown(placeholder, env)) continue
    const { name, written } = placeholder
    const setters = entries.filter(([, own]) => Object.hasOwn(own, name)).map(([cluster]) => cluster)
    if (setters.length === 0) {
      refuseUnknown(placeholder, Object.keys(env), path, source, isUsable)
      continue
    }
    // An overlay that sets the variable again never replaces names in this text.
    const lacking = entries
      .filter(([, own]) => !Object.hasOwn(own, name) && (variable === null || !Object.hasOwn(own, variable)))
      .map(([cluster]) => cluster)
    if (lacking.length > 0) {
      const message = `${written} is set for ${setters.join(', ')} but not for ${lacking.join(', ')}; set it there or in \`env\``
      source.problem(path, message, { part: written })
    } else {
      const message = `${written} is set only for ${setters.join(', ')}; in any other cluster the service cannot start`
      source.warn(path, message, { part: written })
    }
  }
}

/**
 * Whether `${name}` would be accepted in the value of `variable` (`null`: in a command), in each of these environments.
 */
function mayStand(name: string, variable: string | null, environments: Env[]): boolean {
  return environments.every(
    (env) => isKnown({ name }, env) && (variable === null || !needs(env, name, variable, new Set([variable]))),
  )
}

function needs(env: Env, name: string, target: string, seen: Set<string>): boolean {
  if (name === target) return !inheritedNames.includes(name)
  if (seen.has(name) || !Object.hasOwn(env, name)) return false
  seen.add(name)
  return placeholdersIn(env[name] ?? '').some((one) => one.name !== null && needs(env, one.name, target, seen))
}

type IsUsable = (name: string) => boolean

function wellFormed(text: string, path: Path, source: YamlSource, isUsable: IsUsable): Named[] {
  const good: Named[] = []
  for (const placeholder of placeholdersIn(text)) {
    const { written, name } = placeholder
    if (name !== null && isPlaceholderName(name)) good.push({ ...placeholder, name })
    else if (name === null) {
      source.problem(path, '`${` is never closed; write `$$` for a dollar', { part: written })
    } else {
      const bare = /^[A-Za-z_][A-Za-z0-9_]*/.exec(name.trim())?.[0]
      const shown = written.length > 60 ? `${written.slice(0, 60)}…` : written
      const message = `${shown} is not of the form \${NAME}: no defaults, no blanks; \`$$\` stands for a dollar`
      const suggestion = bare !== undefined && isUsable(bare) ? `\${${bare}}` : null
      source.problem(path, message, { part: written, suggestion })
    }
  }
  return good
}

function isKnown({ name }: Pick<Named, 'name'>, env: Env): boolean {
  return Object.hasOwn(env, name) || tandemNames.includes(name) || inheritedNames.includes(name)
}

function refuseUnknown(
  { name, written }: Named,
  settable: string[],
  path: Path,
  source: YamlSource,
  isUsable: IsUsable,
): void {
  // If `env` itself could not be read, any name might have been set there.
  if (source.isUnread(['env'])) return
  const near = nearest(name, [...tandemNames, ...inheritedNames, ...settable])
  const shown = written.length > 60 ? `${written.slice(0, 60)}…` : written
  source.problem(path, `${shown} is not set, neither by Tandem nor under \`env\``, {
    part: written,
    suggestion: near !== null && isUsable(near) ? `\${${near}}` : null,
  })
}

/** Follows the names from each of `starts`; a circle is reported once, at the variable where it was entered. */
function checkCircles(env: Env, pathOf: (name: string) => Path, starts: Set<string>, source: YamlSource): void {
  const lengths = new Map<string, number>()
  const walk = (name: string, trail: readonly string[]): number => {
    const known = lengths.get(name)
    if (known !== undefined) return known
    const value = env[name] ?? ''
    let length = value.length
    lengths.set(name, length)
    for (const { name: wanted } of placeholdersIn(value)) {
      if (wanted === null || !Object.hasOwn(env, wanted)) continue
      if (wanted === name && inheritedNames.includes(name)) continue
      const from = trail.indexOf(wanted)
      if (from === -1) length += walk(wanted, [...trail, wanted])
      else source.problem(pathOf(wanted), `needs itself: ${[...trail.slice(from), wanted].join(' -> ')}`)
    }
    lengths.set(name, length)
    if (length > longestString && value.length <= longestString) {
      source.problem(pathOf(name), `grows beyond ${longestString} bytes when names are replaced`)
    }
    return length
  }
  for (const name of starts) walk(name, [name])
}

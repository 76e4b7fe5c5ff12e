import { isAlias, isMap, isScalar, type Alias, type Node } from 'yaml'
import { DefinitionError, sortProblems, type Problem } from './problem.ts'
import { SourceText } from './sourceText.ts'
import { openYaml } from './yamlDocument.ts'

/** Limit on values read with aliases followed: it stops an alias bomb. */
const mostValues = 10_000

export type Path = readonly (string | number)[]

interface About {
  suggestion?: string | null
  /** The part of the value (as written) that the problem is about. */
  part?: string
  /** The node of the problem, if it is not the value. */
  node?: Node | null
}

/**
 * A YAML file being read: its root node, the position of each value, and the problems found so far. The constructor
 * throws a `DefinitionError` for problems that make the rest unreadable; see `openYaml`.
 */
export class YamlSource {
  readonly root: Node
  /** The place of each key name (`drain` in `rollout.drain`): suggested for a key in the wrong place. */
  readonly homes: ReadonlyMap<string, string>
  readonly #source: SourceText
  readonly #aliases: Map<Alias, Node>
  readonly #places = new Map<string, Node>()
  readonly #broken = new Set<string>()
  readonly #problems: Problem[] = []
  readonly #warnings: Problem[] = []
  #values = 0

  constructor(text: string, file: string, homes: ReadonlyMap<string, string>) {
    this.homes = homes
    this.#source = new SourceText(text, file)
    const { root, aliases } = openYaml(this.#source)
    this.root = root
    this.#aliases = aliases
  }

  /** The node to read at `path`, with aliases followed; counts against the limit on values. */
  enter(node: Node | null, path: Path): Node | null {
    if (++this.#values > mostValues) {
      this.problem(path, `the file holds more than ${mostValues} values once its aliases are followed`, { node })
      this.throwProblems()
    }
    if (node !== null) this.#places.set(keyOf(path), node)
    return isAlias(node) ? (this.#aliases.get(node) ?? null) : node
  }

  /** Records a problem with the value at `path` (or, if there is no value, with the nearest one around it). */
  problem(path: Path, message: string, about: About = {}): void {
    this.#broken.add(keyOf(path))
    this.#problems.push(this.#source.problemAt(this.#offset(path, about), message, about.suggestion ?? null))
  }

  /** Records a doubtful setting that is no error. */
  warn(path: Path, message: string, about: About = {}): void {
    this.#warnings.push(this.#source.problemAt(this.#offset(path, about), message, about.suggestion ?? null))
  }

  /** Whether the file sets a value at `path`. */
  has(path: Path): boolean {
    return this.#places.has(keyOf(path))
  }

  /** Whether the file has a key at `path`, even if it was not read yet. */
  says(path: Path): boolean {
    let node: unknown = this.root
    for (const part of path) {
      const map = isAlias(node) ? this.#aliases.get(node) : node
      const pair = isMap(map) ? map.items.find(({ key }) => isScalar(key) && key.value === part) : undefined
      if (pair === undefined) return false
      node = pair.value
    }
    return true
  }

  /** False when a problem was found at `path` or below it: the value read there is, or contains, a stand-in. */
  isSound(path: Path): boolean {
    const key = keyOf(path)
    for (const broken of this.#broken) if (broken.startsWith(key)) return false
    return true
  }

  /** True when the value at `path` could not be read at all. */
  isUnread(path: Path): boolean {
    return this.#broken.has(keyOf(path))
  }

  lineOf(path: Path): number {
    return this.#source.lineAt(this.#offset(path, {}))
  }

  get warnings(): Problem[] {
    return sortProblems(this.#warnings)
  }

  throwProblems(): void {
    if (this.#problems.length > 0) throw new DefinitionError(this.#source.file, this.#problems)
  }

  #offset(path: Path, about: About): number {
    let node = about.node ?? null
    for (let length = path.length; node === null && length >= 0; length--) {
      node = this.#places.get(keyOf(path.slice(0, length))) ?? null
    }
    const [start, end] = node?.range ?? [0, 0]
    if (about.part === undefined) return start
    const within = this.#source.text.slice(start, end).indexOf(about.part)
    return within === -1 ? start : start + within
  }
}

const keyOf = (path: Path): string => path.map((part) => `${part}\u0000`).join('')

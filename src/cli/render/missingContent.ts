import type { ReleaseDescription } from '../../releases/releaseDescription.ts'

/** Folders of package managers, and the messages that programs print when such a folder is missing. */
const packageFolders = [
  { name: /^(node_modules|bower_components)$/, missing: /Cannot find (module|package) '(?![./])/ },
  { name: /^(\.?venv|env|__pypackages__|site-packages)$/, missing: /ModuleNotFoundError|ImportError|No module named/ },
  {
    name: /^(vendor|\.bundle)$/,
    missing: /cannot load such file|Could not find .*gem|GemNotFound|vendor\/autoload\.php|cannot find package/i,
  },
  {
    name: /^deps$/,
    missing: /could not find.*dependenc|Unchecked dependencies/i,
  },
] as const

/** Messages of programs and kernels for a missing file. */
const missingFile =
  /cannot find|can't find|could not find|no such file|not found|ENOENT|cannot open|can't open|does not exist/i

/** Paths that ignore files excluded from a release: see `ReleaseDescription`. */
type LeftOut = ReleaseDescription['leftOut']

/**
 * Explains a failure if the instance did not find a path that the ignore files excluded. Returns the first such path
 * that the output names, and a command that includes it. Returns nothing if no line names one.
 */
export function missingContent(lines: readonly string[], { ignoreFile, paths }: LeftOut): string[] {
  const missing = paths.find((path) => lines.some((line) => misses(line, path)))
  if (missing === undefined) return []
  const takeIn = `printf '\\n%s\\n' ${quoted(`!/${missing.replaceAll(/[*?[\\]/g, String.raw`\$&`)}`)}`
  const isOwn = ignoreFile === '.tandemignore'
  return [
    `the instance did not find ${missing}: ${ignoreFile} excludes it from the release. Include it and push again:`,
    `  ${isOwn ? `${takeIn} >> .tandemignore` : `{ cat .gitignore; ${takeIn}; } > .tandemignore`}`,
  ]
}

function misses(line: string, path: string): boolean {
  const name = path.replace(/\/$/, '').split('/').at(-1) ?? ''
  if (path.endsWith('/') && packageFolders.some((one) => one.name.test(name) && one.missing.test(line))) return true
  return missingFile.test(line) && namesPath(line, path)
}

/** True if the line contains the path, or a path below it, but not as part of a longer name. */
function namesPath(line: string, path: string): boolean {
  for (let at = line.indexOf(path); at >= 0; at = line.indexOf(path, at + 1)) {
    const [before, after] = [line[at - 1] ?? ' ', line[at + path.length] ?? ' ']
    if (!/[\w.-]/.test(before) && (path.endsWith('/') || !/[\w-]/.test(after))) return true
  }
  return false
}

const quoted = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`

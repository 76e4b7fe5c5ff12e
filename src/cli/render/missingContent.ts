import type { ReleaseDescription } from '../../releases/releaseDescription.ts'

/** Where package managers put what a program needs, and what programs print when it is not there. */
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

/** How programs and kernels say that a file is not there. */
const missingFile =
  /cannot find|can't find|could not find|no such file|not found|ENOENT|cannot open|can't open|does not exist/i

/** What the ignore files left out of a release: see `ReleaseDescription`. */
type LeftOut = ReleaseDescription['leftOut']

/**
 * For people whose instance did not find what the ignore files left out: the first such file or folder that its lines name,
 * and a command that takes it in. Nothing where no line says so.
 */
export function missingContent(lines: readonly string[], { ignoreFile, paths }: LeftOut): string[] {
  const missing = paths.find((path) => lines.some((line) => misses(line, path)))
  if (missing === undefined) return []
  const takeIn = `printf '\\n%s\\n' ${quoted(`!/${missing.replaceAll(/[*?[\\]/g, String.raw`\$&`)}`)}`
  const isOwn = ignoreFile === '.tandemignore'
  return [
    `the instance did not find ${missing}: the release left it out, as ${ignoreFile} names it. Take it in and push again:`,
    `  ${isOwn ? `${takeIn} >> .tandemignore` : `{ cat .gitignore; ${takeIn}; } > .tandemignore`}`,
  ]
}

function misses(line: string, path: string): boolean {
  const name = path.replace(/\/$/, '').split('/').at(-1) ?? ''
  if (path.endsWith('/') && packageFolders.some((one) => one.name.test(name) && one.missing.test(line))) return true
  return missingFile.test(line) && namesPath(line, path)
}

/** True where the line holds the path, or one below it, and not as a part of a longer name. */
function namesPath(line: string, path: string): boolean {
  for (let at = line.indexOf(path); at >= 0; at = line.indexOf(path, at + 1)) {
    const [before, after] = [line[at - 1] ?? ' ', line[at + path.length] ?? ' ']
    if (!/[\w.-]/.test(before) && (path.endsWith('/') || !/[\w-]/.test(after))) return true
  }
  return false
}

const quoted = (word: string): string => `'${word.replaceAll("'", String.raw`'\''`)}'`

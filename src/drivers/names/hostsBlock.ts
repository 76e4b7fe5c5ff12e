import { nameEnd } from '../../definitions/names.ts'

export interface NamedService {
  service: string
  address: string
}

const begin = '# BEGIN Tandem: names of services, see `tandem names`. Tandem rewrites these lines.'
const end = '# END Tandem'
const ownLine = new RegExp(String.raw`^127\.[0-9.]+\s+[a-z0-9-]+${nameEnd.replaceAll('.', String.raw`\.`)}\s*$`)

/** The text of a hosts file with exactly these names in Tandem's block; every other line stays as it is. */
export function withNames(text: string, names: readonly NamedService[]): string {
  const kept = withoutBlock(text.split('\n'))
  // An empty last line stands for the newline at the end of the file.
  while (kept.at(-1) === '') kept.pop()
  if (names.length === 0) return kept.length === 0 ? '' : `${kept.join('\n')}\n`
  const lines = names.map(({ service, address }) => `${address} ${service}${nameEnd}`)
  return `${[...kept, begin, ...lines, end].join('\n')}\n`
}

export const hasNames = (text: string): boolean => text.split('\n').some(isMark)

/** Without its own lines, also if somebody has damaged the marks around them. */
function withoutBlock(lines: string[]): string[] {
  return lines.filter((line) => !isMark(line) && !ownLine.test(line))
}

const isMark = (line: string): boolean => line.startsWith('# BEGIN Tandem') || line.trim() === end

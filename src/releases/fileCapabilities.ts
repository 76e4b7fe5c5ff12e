import { exec } from '../lib/exec.ts'

/** Where `getcap` is kept, beside what the PATH names: people's PATH often lacks these. */
const adminFolders = '/usr/sbin:/sbin'
/** Of one command line; the kernel takes 2 MiB. */
const batchBytes = 128 * 1024
const withinMs = 30_000

/**
 * The file capabilities (capabilities(7)) of these files, paths relative to `root`, as far as `getcap` says: it comes in one
 * package with `setcap`. Without it none are seen, and none exist but on Linux.
 */
export async function fileCapabilities(root: string, paths: readonly string[]): Promise<Map<string, string[]>> {
  const found = new Map<string, string[]>()
  if (process.platform !== 'linux') return found
  const env = { ...process.env, PATH: `${process.env['PATH'] ?? ''}:${adminFolders}` }
  for (const batch of batched(paths.map((path) => `${root}/${path}`))) {
    const argv = ['getcap', ...batch]
    const outcome = await exec(argv, { env, timeoutMs: withinMs }).catch(() => null)
    if (outcome === null) return found
    for (const [path, capabilities] of readGetcap(outcome.out, root)) found.set(path, capabilities)
  }
  return found
}

/** `PATH cap_a,cap_b=ep`, with ` = ` and `+ep` from before libcap 2.41; a release's names hold no line break. */
export function readGetcap(text: string, root: string): Map<string, string[]> {
  const lines = text.split('\n').flatMap((line) => {
    const [, path, clauses] = /^(.*?) (?:= )?((?:cap_|=)[a-z0-9_,+=: -]*)$/.exec(line) ?? []
    if (path === undefined || clauses === undefined || !path.startsWith(`${root}/`)) return []
    const named = clauses.match(/cap_[a-z_]+/g) ?? [] // `=ep`: every one there is
    return [[path.slice(root.length + 1), named.map((name) => name.toUpperCase())] as const]
  })
  return new Map(lines)
}

function* batched(paths: readonly string[]): Generator<string[]> {
  let [batch, bytes] = [[] as string[], 0]
  for (const path of paths) {
    if (batch.length > 0 && bytes + path.length > batchBytes) {
      yield batch
      ;[batch, bytes] = [[], 0]
    }
    batch.push(path)
    bytes += path.length
  }
  if (batch.length > 0) yield batch
}

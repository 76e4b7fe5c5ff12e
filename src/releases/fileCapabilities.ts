import { exec } from '../lib/exec.ts'

/** Folders that contain `getcap`, searched after the PATH: a user's PATH often lacks them. */
const adminFolders = '/usr/sbin:/sbin'
/** Longest part of a command line; the kernel accepts 2 MiB. */
const batchBytes = 128 * 1024
const withinMs = 30_000

/**
 * The file capabilities (capabilities(7)) of these files, with paths relative to `root`, as `getcap` reports them;
 * `getcap` comes in one package with `setcap`. Without `getcap` none are found, and they exist only on Linux.
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

/**
 * Parses `PATH cap_a,cap_b=ep`, also with ` = ` and `+ep` from before libcap 2.41. Names in a release contain no line
 * break.
 */
export function readGetcap(text: string, root: string): Map<string, string[]> {
  const lines = text.split('\n').flatMap((line) => {
    const [, path, clauses] = /^(.*?) (?:= )?((?:cap_|=)[a-z0-9_,+=: -]*)$/.exec(line) ?? []
    if (path === undefined || clauses === undefined || !path.startsWith(`${root}/`)) return []
    const named = clauses.match(/cap_[a-z_]+/g) ?? [] // `=ep` means all capabilities
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

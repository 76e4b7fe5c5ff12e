import { readFileSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { exec, execOrThrow } from '../../src/lib/exec.ts'

/**
 * The build from which the next version is upgraded: the commit of the last release. Before the first release, an older
 * commit whose tests all passed: its upgrades change only the command line of a unit, and it publishes tcp ports to
 * everybody. It moves forward with each release.
 */
export const previousBuild = '1cc90836c990992842991b8b5a41703f42b9b82f'

/** Time limit for fetching packages. */
const timeoutMs = 300_000

/** False if this clone lacks the commit. */
export const hasCommit = async (commit: string): Promise<boolean> =>
  (await exec(['git', '-C', import.meta.dirname, 'cat-file', '-e', `${commit}^{commit}`])).code === 0

/** Makes a checkout of an older build in `folder`. Shares our packages if they are the same. */
export async function previousCheckout(root: string, folder: string, commit: string): Promise<string> {
  const checkout = join(folder, 'previous')
  await execOrThrow(['git', 'clone', '--quiet', '--shared', '--no-checkout', root, checkout])
  await execOrThrow(['git', '-C', checkout, 'checkout', '--quiet', '--detach', commit])
  const [ours, theirs] = [root, checkout].map((at) => readFileSync(join(at, 'package-lock.json'), 'utf8'))
  if (ours === theirs) symlinkSync(join(root, 'node_modules'), join(checkout, 'node_modules'))
  else
    await execOrThrow(['npm', 'ci', '--prefix', checkout, '--prefer-offline', '--no-audit', '--no-fund'], { timeoutMs })
  return checkout
}

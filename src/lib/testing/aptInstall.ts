import { execFileSync } from 'node:child_process'
import { existsSync } from 'node:fs'

const installMs = 300_000

/**
 * Installs Debian packages that tests need. Throws if it cannot: not root, another system, no such package. Waits while
 * another test installs.
 */
export function aptInstall(packages: readonly string[]): void {
  if (packages.length === 0) return
  if (process.getuid?.() !== 0) throw new Error('packages are installed by root')
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const apt = (...argv: string[]): void => {
    execFileSync('apt-get', ['-o', 'DPkg::Lock::Timeout=300', '-qq', ...argv], {
      env,
      stdio: 'pipe',
      timeout: installMs,
    })
  }
  const install = (): void => apt('install', '-y', '--no-install-recommends', ...packages)
  try {
    install()
  } catch {
    apt('update')
    install()
  }
}

const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/bin', '/usr/sbin', '/bin', '/sbin']

export const isInstalled = (program: string): boolean => folders.some((folder) => existsSync(`${folder}/${program}`))

/** Why a program is not here, after trying to install its package of the same name; `null`: it is here. */
export function whyMissing(program: string): string | null {
  if (isInstalled(program)) return null
  try {
    aptInstall([program])
    return null
  } catch (error) {
    return `${program} is not installed, and cannot be: ${String(error).split('\n')[0]}`
  }
}

import { existsSync } from 'node:fs'
import { exec, execOrThrow } from '../../src/lib/exec.ts'

/** What the lab needs of the computer it runs on: a program, and the Debian package that holds it. */
const needed: Record<string, string> = {
  'systemd-nspawn': 'systemd-container',
  mmdebstrap: 'mmdebstrap',
  eatmydata: 'eatmydata',
  ip: 'iproute2',
  nsenter: 'util-linux',
  flock: 'util-linux',
}
const folders = ['/usr/bin', '/usr/sbin', '/bin', '/sbin']
const installMs = 300_000

/** Why no machine can be booted here, in words; `null` when they can. */
export function whyNoLab(): string | null {
  if (process.platform !== 'linux') return 'the lab boots Linux machines: it needs Linux'
  if (process.getuid?.() !== 0) return 'the lab boots machines: it needs root'
  if (!existsSync('/proc/self/ns/cgroup')) return 'the kernel has no cgroup namespaces'
  if (missing().length > 0 && !existsSync('/usr/bin/apt-get'))
    return `install ${missing().join(', ')}: there is no apt-get`
  return null
}

/** Installs what is missing. */
export async function installRequirements(): Promise<void> {
  const packages = missing()
  if (packages.length === 0) return
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const install = ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...packages]
  if ((await exec(install, { timeoutMs: installMs, env })).code === 0) return
  await execOrThrow(['apt-get', 'update', '-qq'], { timeoutMs: installMs, env })
  await execOrThrow(install, { timeoutMs: installMs, env })
}

function missing(): string[] {
  const absent = Object.entries(needed).filter(([name]) => !folders.some((folder) => existsSync(`${folder}/${name}`)))
  return [...new Set(absent.map(([, name]) => name))]
}

import { existsSync } from 'node:fs'
import { exec, execOrThrow } from '../../src/lib/exec.ts'

/** Programs that the lab needs on its host, each with its Debian package. */
const needed: Record<string, string> = {
  'systemd-nspawn': 'systemd-container',
  mmdebstrap: 'mmdebstrap',
  eatmydata: 'eatmydata',
  ip: 'iproute2',
  nsenter: 'util-linux',
  flock: 'util-linux',
}
/** Additional programs for a machine with its own kernel. */
const neededByQemu: Record<string, string> = {
  'qemu-system-x86_64': 'qemu-system-x86',
  busybox: 'busybox-static',
  depmod: 'kmod',
}
/** Debian 12 ships this program with QEMU, later versions in a separate package. */
const sharers = ['/usr/lib/qemu/virtiofsd', '/usr/libexec/virtiofsd']
const folders = [...(process.env['PATH'] ?? '').split(':'), '/usr/bin', '/usr/sbin', '/bin', '/sbin']
const installMs = 300_000

/** Why no machine can be booted here; `null` if machines can be booted. */
export function whyNoLab(): string | null {
  if (process.platform !== 'linux') return 'the lab boots Linux machines: it needs Linux'
  if (process.getuid?.() !== 0) return 'the lab boots machines: it needs root'
  if (!existsSync('/proc/self/ns/cgroup')) return 'the kernel has no cgroup namespaces'
  if (missing().length > 0 && !existsSync('/usr/bin/apt-get'))
    return `install ${missing().join(', ')}: there is no apt-get`
  return null
}

/** Why no machine with its own kernel can be booted here; `null` if one can. Installs missing packages. */
export async function whyNoQemu(): Promise<string | null> {
  const why = whyNoLab()
  if (why !== null) return why
  if (process.arch !== 'x64') return 'the machine under QEMU is an x86-64 one'
  if (!existsSync('/etc/debian_version')) return "its kernel is Debian's, and this is another system"
  try {
    await installQemu()
    return null
  } catch (error) {
    return `what it needs cannot be installed: ${String(error)}`
  }
}

/** Installs missing packages. */
export async function installRequirements(): Promise<void> {
  await install(missing())
}

async function installQemu(): Promise<void> {
  await install([...missing(), ...missing(neededByQemu), ...(sharerHere() === undefined ? ['qemu-system-common'] : [])])
  // A separate package since Debian 13.
  if (sharerHere() === undefined) await install(['virtiofsd'])
}

/** The program that shares folders with a machine under QEMU. */
export function sharer(): string {
  const here = sharerHere()
  if (here === undefined) throw new Error(`neither of ${sharers.join(', ')} is here: apt-get install virtiofsd`)
  return here
}

const sharerHere = (): string | undefined => sharers.find((path) => existsSync(path))

async function install(packages: string[]): Promise<void> {
  if (packages.length === 0) return
  const env = { ...process.env, DEBIAN_FRONTEND: 'noninteractive' }
  const argv = ['apt-get', 'install', '-y', '-qq', '--no-install-recommends', ...packages]
  if ((await exec(argv, { timeoutMs: installMs, env })).code === 0) return
  await execOrThrow(['apt-get', 'update', '-qq'], { timeoutMs: installMs, env })
  await execOrThrow(argv, { timeoutMs: installMs, env })
}

function missing(programs = needed): string[] {
  const absent = Object.entries(programs).filter(([name]) => !folders.some((folder) => existsSync(`${folder}/${name}`)))
  return [...new Set(absent.map(([, name]) => name))]
}

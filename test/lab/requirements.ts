import { existsSync } from 'node:fs'
import { aptInstall, isInstalled } from '../../src/lib/testing/aptInstall.ts'

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
export function whyNoQemu(): string | null {
  const why = whyNoLab()
  if (why !== null) return why
  if (process.arch !== 'x64') return 'the machine under QEMU is an x86-64 one'
  if (!existsSync('/etc/debian_version')) return "its kernel is Debian's, and this is another system"
  try {
    installQemu()
    return null
  } catch (error) {
    return `what it needs cannot be installed: ${String(error)}`
  }
}

/** Installs missing packages. */
export function installRequirements(): void {
  aptInstall(missing())
}

function installQemu(): void {
  aptInstall([...missing(), ...missing(neededByQemu), ...(sharerHere() === undefined ? ['qemu-system-common'] : [])])
  // A separate package since Debian 13.
  if (sharerHere() === undefined) aptInstall(['virtiofsd'])
}

/** The program that shares folders with a machine under QEMU. */
export function sharer(): string {
  const here = sharerHere()
  if (here === undefined) throw new Error(`neither of ${sharers.join(', ')} is here: apt-get install virtiofsd`)
  return here
}

const sharerHere = (): string | undefined => sharers.find((path) => existsSync(path))

function missing(programs = needed): string[] {
  const absent = Object.entries(programs).filter(([program]) => !isInstalled(program))
  return [...new Set(absent.map(([, name]) => name))]
}

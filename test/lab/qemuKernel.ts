import { createHash } from 'node:crypto'
import { chmodSync, cpSync, existsSync, mkdirSync, readdirSync, readFileSync, renameSync, rmSync } from 'node:fs'
import { basename, join } from 'node:path'
import { exec, execOrThrow } from '../../src/lib/exec.ts'
import { exclusive } from './exclusive.ts'

/** A kernel for the machine, with its initial file system. */
export interface QemuKernel {
  kernel: string
  initrd: string
  /** Folder for /usr/lib/modules: modules that the kernel loads later. */
  modules: string
}

const metaPackage = 'linux-image-cloud-amd64'
/** Modules needed to mount the root; the kernel loads those for services later. */
const earlyModules = ['virtio_pci', 'virtiofs', 'overlay', 'virtio_console', 'veth']
const guestFiles = ['init', 'lab-shell', 'lab-shell.service'].map((name) =>
  join(import.meta.dirname, 'qemuGuest', name),
)
const downloadMs = 300_000
/** Everything except the package's version that determines the content of the folder. */
const recipe = (): string => JSON.stringify([earlyModules, guestFiles.map((file) => readFileSync(file, 'utf8'))])

/** Debian's newest kernel for this computer's release, unpacked; downloaded once (27 MB). */
export async function qemuKernel(folder: string): Promise<QemuKernel> {
  const name = await newestPackage()
  const key = createHash('sha256').update(recipe()).digest('hex').slice(0, 12)
  const made = join(folder, `${name}-${key}`)
  if (!existsSync(made)) {
    mkdirSync(folder, { recursive: true })
    const lock = await exclusive(join(folder, 'kernel.lock'), downloadMs)
    if (!lock) throw new Error(`another run has not made ${made} within ${downloadMs} ms`)
    try {
      if (!existsSync(made)) await make(name, made)
    } finally {
      await lock.release()
    }
  }
  return { kernel: join(made, 'kernel'), initrd: join(made, 'initrd'), modules: join(made, 'root/lib/modules') }
}

/** The name of the package on which the meta package depends, such as linux-image-6.1.0-56-cloud-amd64. */
async function newestPackage(): Promise<string> {
  const find = async (): Promise<string | undefined> => {
    const { out } = await exec(['apt-cache', 'depends', metaPackage])
    return /Depends: (linux-image-\S+)/.exec(out)?.[1]
  }
  const known = await find()
  if (known !== undefined) return known
  await execOrThrow(['apt-get', 'update', '-qq'], { timeoutMs: downloadMs })
  const found = await find()
  if (found === undefined) throw new Error(`apt-get knows no package ${metaPackage}: it is Debian's`)
  return found
}

async function make(name: string, made: string): Promise<void> {
  const partial = `${made}-partial`
  rmSync(partial, { recursive: true, force: true })
  const root = join(partial, 'root')
  mkdirSync(root, { recursive: true })
  await download(name, partial)
  const [file] = readdirSync(partial).filter((entry) => entry.endsWith('.deb'))
  await execOrThrow(['dpkg', '-x', join(partial, file ?? ''), root])
  const [version = ''] = readdirSync(join(root, 'lib/modules'))
  await execOrThrow(['depmod', '-b', root, version])
  cpSync(join(root, 'boot', `vmlinuz-${version}`), join(partial, 'kernel'))
  await writeInitrd(partial, root, version)
  renameSync(partial, made)
}

/** Updates the list of packages, which may be older than the mirror. */
async function download(name: string, to: string): Promise<void> {
  const get = ['env', '-C', to, 'apt-get', 'download', '-qq', name]
  if ((await exec(get, { timeoutMs: downloadMs })).code === 0) return
  await execOrThrow(['apt-get', 'update', '-qq'], { timeoutMs: downloadMs })
  await execOrThrow(get, { timeoutMs: downloadMs })
}

async function writeInitrd(partial: string, root: string, version: string): Promise<void> {
  const initrd = join(partial, 'early')
  for (const part of ['bin', 'modules']) mkdirSync(join(initrd, part), { recursive: true })
  cpSync('/bin/busybox', join(initrd, 'bin/busybox'))
  const order = await execOrThrow(['modprobe', '-d', root, '-S', version, '--all', '--show-depends', ...earlyModules])
  const files = [...order.matchAll(/^insmod (\S+)/gm)].map(([, path = '']) => path)
  for (const [index, path] of [...new Set(files)].entries())
    cpSync(path, join(initrd, 'modules', `${String(index).padStart(2, '0')}-${basename(path)}`))
  for (const file of guestFiles) {
    const to = join(initrd, basename(file))
    cpSync(file, to)
    chmodSync(to, file.endsWith('.service') ? 0o644 : 0o755)
  }
  const pack = 'cd "$1" && find . | busybox cpio -o -H newc 2>/dev/null | gzip -1 >"$2"'
  await execOrThrow(['sh', '-c', pack, 'sh', initrd, join(partial, 'initrd')])
}

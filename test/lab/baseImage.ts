import { createHash } from 'node:crypto'
import { chmodSync, existsSync, mkdirSync, readdirSync, renameSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { execOrThrow } from '../../src/lib/exec.ts'
import { exclusive } from './exclusive.ts'

/** Everything that determines the content of the image; its hash names the folder. */
const recipe = {
  suite: 'bookworm',
  packages: [
    ...['eatmydata', 'systemd', 'systemd-sysv', 'dbus', 'libnss-systemd', 'haproxy', 'iproute2', 'iputils-ping'],
    ...['curl', 'procps', 'socat', 'ca-certificates', 'libstdc++6', 'openssl', 'keepalived', 'nftables'],
  ],
  /** Debian's own instances and timers, which would disturb the tests. */
  disabled: [
    ...[
      'haproxy.service',
      'keepalived.service',
      'nftables.service',
      'apt-daily.timer',
      'apt-daily-upgrade.timer',
      'dpkg-db-backup.timer',
      'fstrim.timer',
    ],
    ...['e2scrub_all.timer', 'e2scrub_reap.service', 'systemd-timesyncd.service'],
  ],
  masked: ['console-getty.service', 'systemd-networkd.service', 'systemd-resolved.service'],
  files: {
    // If the host has cgroup v1 controllers, nspawn makes them read-only in the machine, and MemoryMax= has no effect.
    // nspawn mounts its own boot id over the kernel's, so a unit with its own /proc sees another boot id than journald.
    '/usr/sbin/lab-init': `#!/bin/sh
for d in /sys/fs/cgroup/*/; do mount -o remount,bind,rw,nosuid,nodev,noexec "$d" 2>/dev/null; done
umount /proc/sys/kernel/random/boot_id
exec /lib/systemd/systemd "$@"
`,
    '/usr/bin/tandem': `#!/bin/sh
exec /usr/lib/tandem/node --disable-warning=ExperimentalWarning /usr/lib/tandem/app/lib/main.js "$@"
`,
  },
  /** Folder of the lab's own Node. */
  links: { '/usr/bin/node': '/usr/lib/tandem/node' },
}
const buildMs = 600_000

/** The root of all machines of all labs, read-only below their own disks. It is built once, in about 30 s. */
export async function baseImage(folder: string): Promise<string> {
  const image = join(folder, `base-${createHash('sha256').update(JSON.stringify(recipe)).digest('hex').slice(0, 12)}`)
  if (existsSync(image)) return image
  mkdirSync(folder, { recursive: true })
  const lock = await exclusive(join(folder, 'build.lock'), buildMs)
  if (!lock) throw new Error(`another build of ${image} has not ended within ${buildMs} ms`)
  try {
    if (!existsSync(image)) await build(folder, image)
  } finally {
    await lock.release()
  }
  return image
}

async function build(folder: string, image: string): Promise<void> {
  const { suite, packages, disabled, masked, files, links } = recipe
  // This process holds the lock, so any leftover is from a build that was killed.
  for (const name of readdirSync(folder)) if (name.endsWith('.partial')) rmSync(join(folder, name), { recursive: true })
  const partial = `${image}.partial`
  const bootstrap = ['mmdebstrap', '--quiet', '--mode=root', '--variant=minbase', `--include=${packages.join(',')}`]
  await execOrThrow(['eatmydata', ...bootstrap, suite, partial], { timeoutMs: buildMs })
  await execOrThrow(['chroot', partial, 'systemctl', '--quiet', 'disable', ...disabled])
  await execOrThrow(['chroot', partial, 'systemctl', '--quiet', 'mask', ...masked])
  mkdirSync(join(partial, 'var/log/journal'), { recursive: true }) // keeps the journal across a reboot, as on a server
  for (const [path, text] of Object.entries(files)) {
    writeFileSync(join(partial, path), text)
    chmodSync(join(partial, path), 0o755)
  }
  for (const [path, target] of Object.entries(links)) symlinkSync(target, join(partial, path))
  renameSync(partial, image)
}

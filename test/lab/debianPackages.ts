import { createHash } from 'node:crypto'
import { existsSync, mkdirSync, renameSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { exec, execOrThrow } from '../../src/lib/exec.ts'
import { baseImage } from './baseImage.ts'
import { exclusive } from './exclusive.ts'
import { labFolder } from './lab.ts'
import type { LabMachine } from './labMachine.ts'

const downloadMs = 300_000
const installMs = 300_000
/** Debian's own services do not start when they are installed: https://people.debian.org/~hmh/invokerc.d-policyrc.d-specification.txt */
const startNothing = '#!/bin/sh\nexit 101\n'

/**
 * Installs Debian packages on machines, which have no way to the internet: this computer downloads them, once, with
 * everything that the machines' image lacks. Resolves with a reason if they cannot be downloaded.
 */
export async function installPackages(
  machines: readonly LabMachine[],
  packages: readonly string[],
): Promise<string | null> {
  const archives = join(labFolder, `debs-${createHash('sha256').update(packages.join()).digest('hex').slice(0, 12)}`)
  const why = await downloaded(archives, packages)
  if (why !== null) return why
  await Promise.all(machines.map((machine) => install(machine, archives)))
  return null
}

async function downloaded(archives: string, packages: readonly string[]): Promise<string | null> {
  const image = await baseImage(labFolder)
  const lock = await exclusive(`${archives}.lock`, downloadMs)
  if (!lock) throw new Error(`another download to ${archives} has not ended within ${downloadMs} ms`)
  try {
    if (existsSync(archives)) return null
    const partial = `${archives}.partial`
    rmSync(partial, { recursive: true, force: true })
    mkdirSync(join(partial, 'partial'), { recursive: true })
    const options = [`Dir::State::status=${image}/var/lib/dpkg/status`, `Dir::Cache::archives=${partial}`]
    const command = ['apt-get', '-qq', '-y', '--no-install-recommends', ...options.flatMap((one) => ['-o', one])]
    const { code, err } = await exec([...command, '--download-only', 'install', ...packages], { timeoutMs: downloadMs })
    if (code !== 0) return `${packages.join(', ')} cannot be downloaded: ${err}`
    renameSync(partial, archives)
    return null
  } finally {
    await lock.release()
  }
}

/**
 * Nor do they start at the next boot, where nginx would take the port of the entry. The bus reads its files once more,
 * because they may name users that the packages made later: otherwise polkit could not answer firewalld.
 */
const installing = `set -e
enabled() { systemctl list-unit-files --state=enabled --plain --no-legend | cut -d' ' -f1 | sort; }
enabled >/tmp/enabled
apt-get -qq -y --no-install-recommends install /tmp/debs/*.deb
enabled | comm -13 /tmp/enabled - | xargs -r systemctl --quiet disable
systemctl reload dbus
rm -r /tmp/debs`

async function install(machine: LabMachine, archives: string): Promise<void> {
  machine.write('/usr/sbin/policy-rc.d', startNothing, 0o755)
  const [file = '', ...enter] = machine.entering(['tar', '-x', '-C', '/tmp', '--one-top-level=debs'])
  await execOrThrow(['bash', '-c', 'set -o pipefail; cd "$0" && tar -c *.deb | "$@"', archives, file, ...enter])
  await machine.must(['env', 'DEBIAN_FRONTEND=noninteractive', 'eatmydata', 'sh', '-c', installing], {
    timeoutMs: installMs,
  })
}

import { createHash } from 'node:crypto'
import { readFileSync } from 'node:fs'
import { join } from 'node:path'
import { constants, gzipSync, zstdCompressSync } from 'node:zlib'
import type { Architecture } from './architecture.ts'
import type { Program } from './program.ts'
import { shipped, type ShippedFile } from './shippedFile.ts'
import { tarball } from './tarball.ts'
import { packageFolder } from '../src/layout/folders.ts'

interface About {
  root: string
  program: Program
  architecture: Architecture
  /** Date in seconds since 1970. */
  date: number
  copyright: string
  /** Compresses less, in a fraction of the time. */
  quick?: boolean
}

const compressionLevel = 9

/** The content as a package for Debian 12 or newer: an `ar` of two tars, deb(5). */
export async function debianPackage(files: readonly ShippedFile[], about: About): Promise<Uint8Array> {
  const { date, quick = false } = about
  const installed = [
    // The manual page and the completions lie where the system looks for them.
    ...files.map((file) => ({
      ...file,
      path: file.path.startsWith('share/') ? `usr/${file.path}` : `${packageFolder.slice(1)}/${file.path}`,
    })),
    shipped('usr/share/doc/tandem/copyright', about.copyright),
  ]
  const links = { 'usr/bin/tandem': '../lib/tandem/bin/tandem' }
  const data = await tarball(installed, { prefix: './', date, links })
  const control = await tarball(controlFiles(installed, about), { prefix: './', date })
  const params = { [constants.ZSTD_c_compressionLevel]: quick ? 1 : compressionLevel }
  return archive(date, [
    ['debian-binary', Buffer.from('2.0\n')],
    ['control.tar.gz', gzipSync(control)],
    ['data.tar.zst', zstdCompressSync(data, { params })],
  ])
}

/** `1.2.0-rc.1` is older than `1.2.0`; dpkg needs `~` for that, deb-version(7). */
export const debianVersion = (version: string): string => version.replace('-', '~')

function controlFiles(installed: readonly ShippedFile[], about: About): ShippedFile[] {
  const {
    root,
    program: { version, description },
    architecture,
  } = about
  const bytes = installed.reduce((sum, { content }) => sum + content.byteLength, 0)
  const control = `Package: tandem
Version: ${debianVersion(version)}
Architecture: ${architecture.debian}
Maintainer: The Tandem authors <tandem@localhost>
Installed-Size: ${Math.ceil(bytes / 1024)}
Depends: systemd (>= 252), libc6 (>= 2.28), libgcc-s1, libstdc++6
Recommends: haproxy (>= 2.6), dbus, keepalived
Section: admin
Priority: optional
Description: ${description}
 Runs services on a few plain machines and keeps them up: rollouts that lose no
 request, machines that take over for each other, a rollback when a release is
 broken. Includes its own Node. Installing the package starts nothing.
`
  const md5sums = installed
    .map(({ path, content }) => `${createHash('md5').update(content).digest('hex')}  ${path}\n`)
    .sort()
    .join('')
  const script = (name: string): ShippedFile =>
    shipped(name, readFileSync(join(root, 'packaging/debian', name), 'utf8'), true)
  return [...[shipped('control', control), shipped('md5sums', md5sums)], ...['postinst', 'prerm', 'postrm'].map(script)]
}

/** The common format of ar(5): a header of 60 bytes before each member, which is padded to an even length. */
function archive(date: number, members: readonly (readonly [string, Uint8Array])[]): Uint8Array {
  const parts = members.flatMap(([name, content]) => [
    Buffer.from(
      `${name.padEnd(16)}${String(date).padEnd(12)}${'0'.padEnd(6)}${'0'.padEnd(6)}${'100644'.padEnd(8)}${String(content.byteLength).padEnd(10)}\`\n`,
    ),
    content,
    Buffer.from(content.byteLength % 2 === 1 ? '\n' : ''),
  ])
  return Buffer.concat([Buffer.from('!<arch>\n'), ...parts])
}

import { readFileSync, rmSync, statSync, writeFileSync } from 'node:fs'
import { basename, join, relative } from 'node:path'
import { gzipSync } from 'node:zlib'
import { completionScripts } from '../src/cli/help/completionScripts.ts'
import { manPage } from '../src/cli/help/manPage.ts'
import { commands } from '../src/cli/routes.ts'
import { sha256 } from '../src/lib/hash.ts'
import { architectureOf } from './architecture.ts'
import { billOfMaterials } from './billOfMaterials.ts'
import { bundle } from './bundle.ts'
import { debianPackage, debianVersion } from './debianPackage.ts'
import { launcher } from './launcher.ts'
import { debianCopyright, thirdPartyLicences } from './licences.ts'
import { nodeBinary } from './nodeBinary.ts'
import { readProgram } from './program.ts'
import { shipped, shippedFolder, shippedFromGit, type ShippedFile } from './shippedFile.ts'
import { sourceDate } from './sourceDate.ts'
import { tarball } from './tarball.ts'

interface Options {
  /** The checkout to build from. */
  root: string
  /** Output folder. */
  out: string
  /** Architectures: `x64`, `arm64`. */
  architectures: readonly string[]
  /** Default: the one in package.json. */
  version?: string
  env: NodeJS.ProcessEnv
  /** For a build that is only tried: compresses less, in a fraction of the time. */
  quick?: boolean
}

/** Paths of the built files. */
export interface Distribution {
  archives: string[]
  packages: string[]
  bills: string[]
  sums: string
}

const fromGit = ['README.md', 'CHANGELOG.md', 'LICENSE', 'docs', 'examples']
const compressionLevel = 6

/** The manual page and the completions, in the folders that a system looks into below /usr. `date`: seconds since 1970. */
const manual = (version: string, date: number): ShippedFile[] => [
  shipped('share/man/man1/tandem.1.gz', gzipSync(manPage(commands, version, date), { level: compressionLevel })),
  shipped('share/bash-completion/completions/tandem', completionScripts.bash),
  shipped('share/zsh/vendor-completions/_tandem', completionScripts.zsh),
  shipped('share/fish/vendor_completions.d/tandem.fish', completionScripts.fish),
]

/**
 * Builds an archive to unpack anywhere and a Debian package with the same content, with a bill of materials and
 * checksums. The same commit and the same Node give the same bytes, at any place and time.
 */
export async function makeDistribution({
  root,
  out,
  architectures,
  version,
  env,
  quick = false,
}: Options): Promise<Distribution> {
  const workshop = join(out, '.bundle')
  const bundled = await bundle(workshop, { root, version })
  const program = readProgram(workshop)
  const date = sourceDate(root, env)
  const common = [
    ...shippedFolder(workshop),
    ...shippedFromGit(root, fromGit),
    shipped('LICENSE.packages', thirdPartyLicences(bundled.packages)),
    ...manual(program.version, date),
  ]
  rmSync(workshop, { recursive: true })
  const made: Distribution = { archives: [], packages: [], bills: [], sums: join(out, 'SHA256SUMS') }
  for (const architecture of architectures.map(architectureOf)) {
    const node = nodeBinary(root, architecture)
    const binary = readFileSync(node.file)
    const files = [
      ...common,
      shipped('bin/tandem', launcher(architecture), true),
      shipped('bin/node', binary, true),
      shipped('LICENSE.node', readFileSync(node.licenceFile)),
    ]
    const about = { root, date, architecture, program }
    const name = `tandem-${program.version}-linux-${architecture.name}`
    const tar = await tarball(files, { prefix: `${name}/`, date })
    made.archives.push(write(out, `${name}.tar.gz`, gzipSync(tar, { level: quick ? 1 : compressionLevel })))
    const debian = await debianPackage(files, { ...about, quick, copyright: debianCopyright(bundled.packages) })
    made.packages.push(write(out, `tandem_${debianVersion(program.version)}_${architecture.debian}.deb`, debian))
    const inside = { ...about, packages: bundled.packages, node: { version: node.version, sha256: sha256(binary) } }
    made.bills.push(write(out, `${name}.cdx.json`, billOfMaterials(inside)))
  }
  // In the format of `sha256sum`, for `sha256sum -c`.
  const sums = [...made.archives, ...made.packages, ...made.bills].map(
    (file) => `${sha256(readFileSync(file))}  ${basename(file)}\n`,
  )
  write(out, 'SHA256SUMS', sums.join(''))
  return made
}

function write(folder: string, name: string, content: Uint8Array | string): string {
  const file = join(folder, name)
  writeFileSync(file, content)
  return file
}

if (import.meta.main) {
  const root = join(import.meta.dirname, '..')
  const architectures = (process.env['ARCH'] || process.arch).split(/[ ,]+/)
  const made = await makeDistribution({ root, out: join(root, 'dist'), architectures, env: process.env })
  for (const file of [...made.archives, ...made.packages, ...made.bills, made.sums]) {
    console.log(`${String(statSync(file).size).padStart(10)}  ${relative(process.cwd(), file)}`)
  }
}

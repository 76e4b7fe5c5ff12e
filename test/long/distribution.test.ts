import { execFileSync } from 'node:child_process'
import { cpSync, existsSync, mkdirSync, mkdtempSync, readFileSync, rmSync, symlinkSync } from 'node:fs'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { z } from 'zod'
import type { Distribution } from '../../packaging/distribution.ts'

const root = join(import.meta.dirname, '../..')
const linux = process.platform === 'linux'
const why = linux ? '' : ' (skipped: the archives are for Linux)'
const bytes = 1024 * 1024 * 1024
/** Below `share`. */
const manual = [
  ...['man/man1/tandem.1.gz', 'bash-completion/completions/tandem', 'zsh/vendor-completions/_tandem'],
  'fish/vendor_completions.d/tandem.fish',
]

const run = (command: string, args: string[], options: { cwd?: string; env?: NodeJS.ProcessEnv } = {}): string =>
  execFileSync(command, args, { encoding: 'utf8', maxBuffer: bytes, stdio: ['ignore', 'pipe', 'pipe'], ...options })

/** A checkout of the present files, committed, like a clone. It shares no files with this one. */
function clone(folder: string): string {
  const files = run('git', ['ls-files', '-z', '--cached', '--others', '--exclude-standard'], { cwd: root }).split('\0')
  for (const file of files.filter((name) => name !== '' && existsSync(join(root, name)))) {
    mkdirSync(dirname(join(folder, file)), { recursive: true })
    cpSync(join(root, file), join(folder, file))
  }
  run('cp', ['-a', ...(linux ? ['-l'] : []), join(root, 'node_modules'), folder])
  const by = { GIT_AUTHOR_DATE: '2026-11-21T08:00:00Z', GIT_COMMITTER_DATE: '2026-11-21T08:00:00Z' }
  const env = { ...process.env, ...by, GIT_CONFIG_GLOBAL: '/dev/null' }
  const git = (...args: string[]): string =>
    run('git', ['-c', 'user.name=t', '-c', 'user.email=t@localhost', ...args], { cwd: folder, env })
  git('init', '--quiet')
  git('add', '--all')
  git('commit', '--quiet', '--message', 'everything')
  return folder
}

/** Builds like `make dist`, in a separate process. */
function build(
  folder: string,
  { umask = '022', ...env }: { umask?: string; TZ?: string; LC_ALL?: string } = {},
): Distribution {
  const script = `
    process.umask(0o${umask})
    const { makeDistribution } = await import('./packaging/distribution.ts')
    const options = { root: process.cwd(), out: process.cwd() + '/dist', architectures: [process.arch], env: process.env }
    console.log(JSON.stringify(await makeDistribution(options)))`
  const args = ['--disable-warning=ExperimentalWarning', '--input-type=module', '--eval', script]
  const { SOURCE_DATE_EPOCH: _, ...inherited } = process.env
  return JSON.parse(run(process.execPath, args, { cwd: folder, env: { ...inherited, ...env } })) as Distribution // printed above
}

const filesOf = ({ archives, packages, bills, sums }: Distribution): string[] => [
  ...archives,
  ...packages,
  ...bills,
  sums,
]

/** The fields that CycloneDX 1.6 requires in a bill, and in each part. */
const billSchema = z.object({
  bomFormat: z.literal('CycloneDX'),
  specVersion: z.literal('1.6'),
  serialNumber: z.string().regex(/^urn:uuid:[0-9a-f]{8}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{4}-[0-9a-f]{12}$/),
  version: z.int().min(1),
  metadata: z.object({
    timestamp: z.iso.datetime(),
    component: z.object({ type: z.literal('application'), name: z.string() }),
  }),
  components: z.array(
    z.object({
      type: z.enum(['library', 'platform']),
      'bom-ref': z.string().min(1),
      group: z.string().min(1).optional(),
      name: z.string().min(1),
      version: z.string().min(1),
      purl: z.string().startsWith('pkg:'),
      licenses: z.tuple([
        z.union([z.object({ license: z.object({ id: z.string() }) }), z.object({ expression: z.string() })]),
      ]),
      hashes: z.array(z.object({ alg: z.literal('SHA-256'), content: z.string().regex(/^[0-9a-f]{64}$/) })).optional(),
    }),
  ),
  dependencies: z.array(z.object({ ref: z.string(), dependsOn: z.array(z.string()) })),
})

describe.skipIf(!linux)(`the distribution${why}`, () => {
  let folder = ''
  let made: Distribution
  let home = ''
  beforeAll(() => {
    mkdirSync(join(root, 'tmp'), { recursive: true })
    folder = mkdtempSync(join(root, 'tmp/distribution-'))
    made = build(clone(join(folder, 'here')))
    const name = /([^/]+)\.tar\.gz$/.exec(made.archives[0] ?? '')?.[1] ?? ''
    run('tar', ['-xzf', made.archives[0] ?? '', '-C', folder])
    home = join(folder, name)
  })
  afterAll(() => rmSync(folder, { recursive: true, force: true }))

  it('is the same, bit by bit, from another folder, at another time, with another umask, time zone and language', () => {
    const again = build(clone(join(folder, 'a/deeper/place')), { umask: '077', TZ: 'Asia/Kolkata', LC_ALL: 'C' })
    const [first, second] = [filesOf(made), filesOf(again)]
    expect(second.length).toBe(4)
    for (const [index, file] of first.entries()) {
      expect(readFileSync(file).equals(readFileSync(second[index] ?? '')), file).toBe(true)
    }
  })

  it('names no folder of the build computer, belongs to root, and has the date of the commit', () => {
    expect(run('sh', ['-c', `grep -rlF '${folder}' '${home}' || true`])).toBe('')
    const listed = run('tar', ['--utc', '--numeric-owner', '-tvzf', made.archives[0] ?? ''])
      .trim()
      .split('\n')
    const odd = listed.filter((line) => !/^(?:drwxr-xr-x|-rwxr-xr-x|-rw-r--r--) 0\/0 +\d+ 2026-11-21 08:00 /.test(line))
    expect(odd).toEqual([])
    expect(listed.filter((line) => line.startsWith('-rwx')).map((line) => line.split('/').slice(2).join('/'))).toEqual(
      expect.arrayContaining(['bin/node', 'bin/tandem']),
    )
  })

  it('has the manual page and the completions', () => {
    expect(manual.filter((file) => !existsSync(join(home, 'share', file)))).toEqual([])
  })

  it('has the same checksums as sha256sum computes', () => {
    expect(run('sha256sum', ['-c', 'SHA256SUMS'], { cwd: dirname(made.sums) }).match(/: OK$/gm)).toHaveLength(3)
  })

  it('runs from the unpacked folder, through a link, on a machine without Node and npm: the whole tour', () => {
    const [link, bare] = [join(folder, 'tandem'), join(folder, 'bare')]
    symlinkSync(join(home, 'bin/tandem'), link)
    mkdirSync(bare)
    // The only programs on the PATH; programs like `ps` are called by their full path.
    for (const tool of ['sh', 'dirname', 'readlink', 'mkfifo', 'env']) {
      symlinkSync(run('sh', ['-c', `command -v ${tool}`]).trim(), join(bare, tool))
    }
    const env = { PATH: bare, HOME: join(folder, 'home') }
    const { version } = JSON.parse(readFileSync(join(root, 'package.json'), 'utf8')) as { version: string } // ours
    expect(run(link, ['--version'], { env })).toBe(`${version}\n`)
    expect(JSON.parse(run(link, ['demo', '--json'], { env, cwd: folder }))).toMatchObject({
      passed: true,
      load: { failed: 0 },
    })
  })

  it('contains everything for offline use: the docs, and examples of a definition and a cluster file', () => {
    for (const file of ['README.md', 'docs/machines.md', 'docs/tandem.example.yaml', 'docs/cluster.example.yaml']) {
      expect(readFileSync(join(home, file), 'utf8'), file).toBe(readFileSync(join(root, file), 'utf8'))
    }
    expect(existsSync(join(home, 'examples/node/tandem.yaml'))).toBe(true)
  })

  it('lists its content: every package of the bundle and Node, each once, with its licence and its text', () => {
    const bill = billSchema.parse(JSON.parse(readFileSync(made.bills[0] ?? '', 'utf8')))
    const parts = bill.components.map(({ group, name, version }) => `${group ? `${group}/` : ''}${name} ${version}`)
    expect(new Set(parts).size).toBe(parts.length)
    expect(bill.dependencies[0]?.dependsOn).toEqual(bill.components.map((one) => one['bom-ref']))
    expect(parts).toContain(`node ${process.versions.node}`)
    const texts = readFileSync(join(home, 'LICENSE.packages'), 'utf8')
    for (const part of parts.filter((one) => !one.startsWith('node '))) expect(texts).toContain(`\n${part} (`)
    // These packages are in the bundle, by a text that only they contain; others are installed here but not in the
    // bundle.
    for (const name of [
      'fastify',
      'zod',
      'undici',
      'yaml',
      '@peculiar/x509',
      'tslib',
      'rolldown',
      'age-encryption',
      'modern-tar',
    ]) {
      expect(
        parts.some((one) => one.startsWith(`${name} `)),
        name,
      ).toBe(true)
    }
    for (const name of ['vitest', 'typescript', 'fast-check', 'openapi-types']) {
      expect(
        parts.some((one) => one.startsWith(`${name} `)),
        name,
      ).toBe(false)
    }
  })

  const noDpkg = existsSync('/usr/bin/dpkg-deb') ? '' : ' (skipped: there is no dpkg-deb)'
  it.skipIf(noDpkg)(`is a package that dpkg reads, with the same content and valid checksums${noDpkg}`, () => {
    const into = join(folder, 'installed')
    run('dpkg-deb', ['--extract', made.packages[0] ?? '', into])
    run('diff', ['-r', '-x', 'share', home, join(into, 'usr/lib/tandem')])
    for (const file of manual) run('cmp', [join(home, 'share', file), join(into, 'usr/share', file)])
    run('dpkg-deb', ['--control', made.packages[0] ?? '', join(folder, 'control')])
    run('md5sum', ['--quiet', '-c', join(folder, 'control/md5sums')], { cwd: into })
    expect(run(join(into, 'usr/bin/tandem'), ['--version'])).toMatch(/^\d+\.\d+\.\d+/)
    expect(readFileSync(join(folder, 'control/control'), 'utf8')).toMatch(
      /^Depends: systemd .*\nRecommends: haproxy .*keepalived$/m,
    )
  })
})

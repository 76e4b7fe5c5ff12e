import { execFileSync } from 'node:child_process'
import { chmod, mkdir, rename, symlink, utimes, writeFile } from 'node:fs/promises'
import { createServer } from 'node:net'
import { once } from 'node:events'
import { join, relative } from 'node:path'
import { cwd } from 'node:process'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { describeFolder } from './describeFolder.ts'
import { definition, makeTestFolder, noise, writeFiles } from './releaseFixture.ts'
import { readListing } from './releaseListing.ts'
import { removeTree } from './removeTree.ts'

let root: string
let source: string
beforeEach(async () => {
  root = await makeTestFolder()
  source = join(root, 'source')
  await mkdir(source)
})
afterEach(() => removeTree(root))

const describeIt = (more: object = {}) => describeFolder(source, { definition, ...more })
const withOutput = (output: string) => ({ definition: { ...definition, build: { ...definition.build, output } } })

async function paths(options: object = {}): Promise<string[]> {
  const { manifest, trees } = await describeIt(options)
  const { folders, files, links } = await readListing(manifest.tree, {
    get: (key) => Promise.resolve(trees.get(key)?.bytes ?? Buffer.alloc(0)),
  })
  return [...folders.map(({ path }) => `${path}/`), ...files.map(({ path }) => path), ...links.keys()].sort()
}

describe('what belongs to a release', () => {
  it('is the folder without .git and the paths that .gitignore names, nested files too', async () => {
    await writeFiles(source, {
      '.gitignore': 'node_modules/\n*.log\n!keep.log\n/only-root\n',
      '.git/config': 'x',
      'node_modules/a/index.js': 'x',
      'a.log': 'x',
      'keep.log': 'x',
      'only-root': 'x',
      'sub/.gitignore': 'secret\n!a.log\n',
      'sub/secret': 'x',
      'sub/a.log': 'x',
      'sub/only-root': 'x',
      'sub/.git/config': 'x',
      'empty/': '',
    })
    expect(await paths()).toEqual(
      ['/', '.gitignore', 'empty/', 'keep.log', 'sub/', 'sub/.gitignore', 'sub/a.log', 'sub/only-root'].sort(),
    )
  })

  it('is decided by .tandemignore alone if there is one', async () => {
    await writeFiles(source, { '.gitignore': 'dist\n', '.tandemignore': 'src\n', 'dist/x': 'x', 'src/y': 'y' })
    expect(await paths()).toEqual(['.gitignore', '.tandemignore', '/', 'dist/', 'dist/x'])
  })

  it('is the whole output if the definition names one', async () => {
    await writeFiles(source, { '.gitignore': 'dist\n', 'dist/.gitignore': '*\n', 'dist/x': 'x', y: 'y' })
    expect(await paths(withOutput('dist'))).toEqual(['.gitignore', '/', 'x'])
  })

  it('is refused if the output is missing, or outside the folder', async () => {
    await expect(describeIt(withOutput('dist'))).rejects.toMatchObject({ code: 'E_RELEASE_CONTENT' })
    await symlink('/etc', join(source, 'dist'))
    await expect(describeIt(withOutput('dist'))).rejects.toThrow('outside')
  })
})

describe('the id of a release', () => {
  it('depends on its content and modes, not on times, place or order', async () => {
    await writeFiles(source, { a: '1', 'b/c': '2' })
    const { id } = await describeIt()
    await utimes(join(source, 'a'), 1, 1)
    expect((await describeIt()).id).toBe(id)
    const copy = join(root, 'copy')
    await writeFiles(copy, { 'b/c': '2', a: '1' })
    expect((await describeFolder(copy, { definition })).id).toBe(id)
    await chmod(join(source, 'a'), 0o755)
    expect((await describeIt()).id).not.toBe(id)
  })

  it('does not depend on the publisher’s umask: only the execute permission counts', async () => {
    await writeFiles(source, { a: '1', 'b/run': '2' })
    const ids = new Set<string>()
    for (const [file, run, folder] of [
      [0o644, 0o755, 0o755],
      [0o664, 0o775, 0o775],
      [0o600, 0o700, 0o700],
      [0o666, 0o744, 0o2775],
    ] as const) {
      await chmod(join(source, 'a'), file)
      await chmod(join(source, 'b/run'), run)
      await chmod(join(source, 'b'), folder)
      ids.add((await describeIt()).id)
    }
    expect([...ids]).toHaveLength(1)
  })

  it('depends on the definition too, including its environments', async () => {
    await writeFiles(source, { a: '1' })
    const { id } = await describeIt()
    expect((await describeIt({ definition: { ...definition, environments: {} } })).id).not.toBe(id)
  })
})

describe('hashes kept between pushes', () => {
  it('save reading unchanged files, and never hide a change', async () => {
    await writeFiles(source, { a: 'old', large: noise(1_500_000, 3) })
    const past = Date.now() + 60_000
    const options = {
      cacheFolder: join(root, 'hashes'),
      clock: { now: () => past, monotonic: () => performance.now() },
    }
    const first = await describeIt(options)
    expect(first.timing.hashedFiles).toBe(2)
    const second = await describeIt(options)
    expect(second.timing.hashedFiles).toBe(0)
    expect(second.id).toBe(first.id)
    await writeFile(join(source, 'a'), 'new')
    const third = await describeIt(options)
    expect(third.timing.hashedFiles).toBe(1)
    expect(third.id).toBe((await describeIt()).id)
  })

  it('are not kept for files that changed just now, and a broken cache counts as empty', async () => {
    await writeFiles(source, { a: 'x' })
    const options = { cacheFolder: join(root, 'hashes') }
    await describeIt(options)
    expect((await describeIt(options)).timing.hashedFiles).toBe(1)
    const [name = ''] = execFileSync('ls', [options.cacheFolder]).toString().split('\n')
    await writeFile(join(options.cacheFolder, name), '{"version":')
    await describeIt(options)
  })
})

describe('a release may not contain', () => {
  const refusal = (subject: string) => ({ code: 'E_RELEASE_CONTENT', subject: expect.stringContaining(subject) })

  it('symlinks out of it', async () => {
    await symlink('/usr/bin/env', join(source, 'abs'))
    await expect(describeIt()).rejects.toMatchObject(refusal('abs'))
    await writeFiles(source, { '.tandemignore': 'abs\n' })
    await describeIt()
    await symlink('../x', join(source, 'up'))
    await expect(describeIt()).rejects.toMatchObject(refusal('up'))
  })
  it('fifos and sockets', async () => {
    execFileSync('sh', ['-c', 'exec mkfifo "$1"', 'sh', join(source, 'fifo')])
    await expect(describeIt()).rejects.toThrow('a fifo')
    await rename(join(source, 'fifo'), join(root, 'fifo'))
    const server = createServer().listen(relative(cwd(), join(source, 'socket')))
    await once(server, 'listening')
    await expect(describeIt()).rejects.toThrow('a socket')
    server.close()
  })
  it('setuid bits', async () => {
    await writeFiles(source, { su: 'x' })
    await chmod(join(source, 'su'), 0o4755)
    await expect(describeIt()).rejects.toMatchObject(refusal('su'))
  })
  it('names with control characters, or that are not UTF-8', async () => {
    await writeFile(join(source, 'new\nline'), 'x')
    await expect(describeIt()).rejects.toMatchObject(refusal('new'))
    await writeFiles(source, { '.tandemignore': 'new*\n' })
    await describeIt()
    await writeFile(Buffer.concat([Buffer.from(`${source}/`), Buffer.of(0xff, 0xfe)]), 'x')
    await expect(describeIt()).rejects.toThrow('UTF-8')
    await writeFile(join(source, '.tandemignore'), Buffer.from('new*\n[\xfe-\xff]\xfe\n', 'latin1'))
    await describeIt()
  })
})

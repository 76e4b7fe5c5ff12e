import { execFileSync } from 'node:child_process'
import { chmod, mkdir, mkdtemp, rm, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { DefinitionError } from './problem.ts'
import { readCluster, readDefinition } from './readDefinition.ts'

let dir = ''
beforeAll(async () => {
  dir = await mkdtemp(join(tmpdir(), 'tandem-definitions-'))
})
afterAll(async () => {
  await rm(dir, { recursive: true, force: true })
})

async function messageOf(name: string): Promise<string> {
  const path = join(dir, name)
  const error: unknown = await readDefinition(path).catch((error: unknown) => error)
  if (!(error instanceof DefinitionError)) throw new Error('no DefinitionError', { cause: error })
  expect(error.file).toBe(path)
  return error.message.replace(path, 'FILE')
}

describe('readDefinition', () => {
  it('reads a file, with or without a byte order mark or carriage returns', async () => {
    await writeFile(join(dir, 'tandem.yaml'), '\uFEFFservice: shop\r\nrun: ./server\r\n')
    const { definition } = await readDefinition(join(dir, 'tandem.yaml'))
    expect([definition.service, definition.run]).toEqual(['shop', ['./server']])
  })

  it('leads to the writer of a tandem.yaml, but not for a cluster file, which `tandem init` does not write', async () => {
    const next = async (read: (path: string) => Promise<unknown>): Promise<unknown> =>
      read(join(dir, 'none.yaml')).catch((error: unknown) => [(error as DefinitionError).message, error])
    expect(String(await next(readDefinition))).toContain('tandem init')
    const [message, error] = (await next(readCluster)) as [string, DefinitionError]
    expect(message).toContain('the file does not exist')
    expect(`${message} ${error.next}`).not.toContain('tandem init')
    expect(error.next).toContain('docs/cluster.example.yaml')
  })

  it('reports why a file cannot be read', async () => {
    await mkdir(join(dir, 'folder'))
    await writeFile(join(dir, 'plain'), '')
    expect(await messageOf('missing.yaml')).toBe('FILE:1:1: the file does not exist; `tandem init` writes one')
    expect(await messageOf('folder')).toBe('FILE:1:1: the file is a folder; name the file in it')
    expect(await messageOf('plain/tandem.yaml')).toBe('FILE:1:1: the file lies below a path that is not a folder')
    expect(await messageOf('plain')).toBe('FILE:1:1: the file is empty; `tandem init` writes one to start from')
  })

  it.skipIf(process.getuid?.() === 0)('reports a file that it may not read (root may read all)', async () => {
    await writeFile(join(dir, 'secret'), 'service: a\nrun: b\n')
    await chmod(join(dir, 'secret'), 0)
    expect(await messageOf('secret')).toBe('FILE:1:1: the file is not readable by this user')
  })

  it('refuses a large file before it reads it, and one that grows without end', async () => {
    await writeFile(join(dir, 'large'), Buffer.alloc(10 * 1024 * 1024, 'a'))
    expect(await messageOf('large')).toContain('has 10485760 bytes; at most 262144')
    await expect(readDefinition('/dev/zero')).rejects.toThrow('is too large; at most 262144')
  })

  it('reports where a file is not UTF-8', async () => {
    const bytes = Buffer.from('service: a\n# \uFFFD\nrun: caf@\n')
    bytes[bytes.length - 2] = 0xe9
    await writeFile(join(dir, 'latin'), bytes)
    expect(await messageOf('latin')).toBe('FILE:3:9: the file is not valid UTF-8; save it as UTF-8 text')
  })

  it('reads cluster files the same way', async () => {
    await writeFile(join(dir, 'cluster.yaml'), 'cluster: c\ncontrollers: [h]\nmachines: { a: { address: h } }\n')
    expect((await readCluster(join(dir, 'cluster.yaml'))).cluster.cluster).toBe('c')
    await expect(readCluster(join(dir, 'nowhere.yaml'))).rejects.toThrow('does not exist')
  })
})

describe('the parser', () => {
  it('starts without zod, which only the wire needs', () => {
    const script = `
      import { registerHooks } from 'node:module'
      registerHooks({ resolve: (name, context, next) => { const found = next(name, context); console.log(found.url); return found } })
      await import(${JSON.stringify(new URL('readDefinition.ts', import.meta.url).href)})
      await import(${JSON.stringify(new URL('detect.ts', import.meta.url).href)})`
    const loaded = execFileSync(process.execPath, ['--input-type=module', '-e', script]).toString()
    expect(loaded).toContain('/yaml/')
    expect(loaded).not.toContain('/zod/')
  })
})

import { mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { expect, it } from 'vitest'
import { makeFolder } from '../testing/given.ts'
import { PageFiles } from './pageFiles.ts'

it('reads the files again after a failure', async () => {
  const folder = makeFolder('page-files')
  try {
    const built = join(folder.path, 'built')
    const files = new PageFiles(built)
    await expect(files.get('/index.html')).rejects.toThrow('ENOENT')
    mkdirSync(built, { recursive: true })
    writeFileSync(join(built, 'index.html'), 'page')
    expect((await files.get('/index.html'))?.type).toContain('text/html')
  } finally {
    folder.remove()
  }
})

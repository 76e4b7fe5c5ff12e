import { chownSync, mkdirSync, mkdtempSync, readFileSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, expect, it } from 'vitest'
import { idOf } from '../../lib/accounts.ts'
import { copyPublicCertificates } from './certificates.ts'

const group = 'nobody'
let root: string
let from: string
let to: string
beforeEach(({ skip }) => {
  skip(process.getuid?.() !== 0, 'only root can change the owner of files')
  root = mkdtempSync(join(tmpdir(), 'tandem-certificates-'))
  ;[from, to] = [join(root, 'from'), join(root, 'to')]
  mkdirSync(from)
})
afterEach(() => rmSync(root, { recursive: true, force: true }))

it('copies all readable files, also behind links, and names the others, whose earlier copies stay', async () => {
  for (const name of ['good', 'lost']) writeFileSync(join(from, `${name}.pem`), name)
  mkdirSync(join(from, 'folder'))
  writeFileSync(join(root, 'live'), 'linked')
  symlinkSync(join(root, 'live'), join(from, 'linked.pem'))
  await copyPublicCertificates(from, to, group)
  rmSync(join(from, 'lost.pem'))
  symlinkSync(join(root, 'none'), join(from, 'lost.pem'))
  symlinkSync(root, join(from, 'a-folder.pem'))
  writeFileSync(join(from, 'good.pem'), 'better')
  writeFileSync(join(root, 'live'), 'renewed')
  await expect(copyPublicCertificates(from, to, group)).rejects.toThrow(/a-folder\.pem.*lost\.pem/)
  const copied = ['good', 'linked', 'lost'].map((name) => readFileSync(join(to, `${name}.pem`), 'utf8'))
  expect(copied).toEqual(['better', 'renewed', 'lost'])
})

it('removes nothing while the folder is missing: it may be in the middle of a replacement', async () => {
  writeFileSync(join(from, 'good.pem'), 'good')
  await copyPublicCertificates(from, to, group)
  rmSync(from, { recursive: true })
  await expect(copyPublicCertificates(from, to, group)).rejects.toThrow(`${from} does not exist`)
  expect(readFileSync(join(to, 'good.pem'), 'utf8')).toBe('good')
})

it('gives a copy to the group even if an earlier run was killed before it did', async () => {
  writeFileSync(join(from, 'good.pem'), 'good')
  await copyPublicCertificates(from, to, group)
  chownSync(join(to, 'good.pem'), 0, 0)
  await copyPublicCertificates(from, to, group)
  expect(statSync(join(to, 'good.pem')).gid).toBe(await idOf('-g', group))
})

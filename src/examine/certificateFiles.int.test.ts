import { mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeAll, beforeEach, expect, it } from 'vitest'
import type { Certificates } from '../doctor/machineFacts.ts'
import { createAuthority, createRequest, signRequest } from '../identity/authority.ts'
import { IdentityFolder, type Identity } from '../identity/identityFolder.ts'
import { certificateFiles } from './certificateFiles.ts'

let folder: string
let own: IdentityFolder
let pem: Identity
const look = (): Certificates => certificateFiles(own.folder, null, join(folder, 'public'))
const put = (name: string, text: string): void => writeFileSync(join(folder, 'public', name), text)
/** A certificate that does not belong to the machine. */
const seen = ({ files, unread }: Certificates): [string, boolean][] => [
  ...files.filter(({ kind }) => kind === 'public').map(({ path, hasItsKey }): [string, boolean] => [path, hasItsKey]),
  ...unread.map(({ path, why }): [string, boolean] => [`${path}: ${why}`, false]),
]
const at = (name: string): string => join(folder, 'public', name)

beforeAll(async () => {
  const authority = await createAuthority('shop', Date.now())
  const { key, request } = await createRequest('a')
  const subject = { role: 'machine', name: 'a', addresses: [] } as const
  const certificate = await signRequest(authority, request, subject, { now: Date.now(), days: 30 })
  pem = { key, certificate, authority: authority.certificate }
})
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'certificate-files-'))
  own = new IdentityFolder(join(folder, 'identity'))
  own.write(pem)
  mkdirSync(join(folder, 'public'))
})
afterEach(() => rmSync(folder, { recursive: true }))

it('the public certificates are the files that HAProxy reads, each with its key in the file or beside it', () => {
  put('both.pem', `${pem.key}\n${pem.certificate}`)
  put('apart.crt', pem.certificate)
  put('apart.crt.key', pem.key)
  put('bare.pem', pem.certificate)
  put('damaged.pem', pem.certificate)
  put('damaged.pem.key', 'PRIVATE KEY of nobody')
  for (const name of ['.hidden', 'both.pem.ocsp', 'both.pem.issuer', 'both.pem.sctl']) put(name, 'no PEM')
  mkdirSync(at('old.pem'))
  symlinkSync(at('old.pem'), at('linked'))
  symlinkSync('/nowhere', at('.away'))
  expect(new Set(look().files.map(({ name }) => name))).toEqual(new Set(['a']))
  expect(seen(look())).toEqual([
    [at('apart.crt'), true],
    [at('bare.pem'), false],
    [at('both.pem'), true],
    [at('damaged.pem'), false],
  ])
})

it('a file without a certificate is named, and the others are examined', () => {
  put('README', 'how to renew')
  put('good.pem', `${pem.key}\n${pem.certificate}`)
  put('cut.pem', pem.certificate.slice(0, 100))
  symlinkSync('/nowhere', at('link.pem'))
  const found = look()
  expect(found.files.map(({ path }) => path)).toEqual([own.pem, at('good.pem')])
  expect(found.unread).toEqual([
    { path: at('README'), kind: 'public', why: 'the file has no line -----BEGIN CERTIFICATE-----', isDenied: false },
    expect.objectContaining({ path: at('cut.pem'), isDenied: false }),
    expect.objectContaining({ path: at('link.pem'), why: expect.stringContaining('ENOENT'), isDenied: false }),
  ])
})

it('a damaged identity is named, and the public certificates are examined', () => {
  writeFileSync(own.pem, 'nothing')
  put('good.pem', `${pem.key}\n${pem.certificate}`)
  const { files, unread } = certificateFiles(own.folder, join(folder, 'copy.pem'), join(folder, 'public'))
  expect(files.map(({ path }) => path)).toEqual([at('good.pem')])
  expect(unread.map(({ path, kind }) => [path, kind])).toEqual([[own.pem, 'identity']])
})

import { mkdtempSync, rmSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { createAuthority } from '../identity/authority.ts'
import { RootFolder } from './rootFolder.ts'

const known = { machine: 'a', cluster: 'shop', address: '10.0.0.11', addresses: ['10.0.0.50'] }
const forged = { ...known, machine: 'b', addresses: ['10.0.0.99'] }
const [ours, theirs] = await Promise.all(['shop', 'shop'].map((name) => createAuthority(name, Date.now())))
const [authority, other] = [ours?.certificate ?? '', theirs?.certificate ?? '']

function folder(): RootFolder {
  const data = mkdtempSync(join(tmpdir(), 'root-'))
  onTestFinished(() => rmSync(data, { recursive: true }))
  return new RootFolder(data)
}

it.each([
  ['unchanged', authority],
  ['with a line more', `${authority}\n`],
  ['with a comment before it', `# mine\n${authority}`],
  ['with another after it', `${authority}${other}`],
])('keeps its knowledge of the machine when the agent passes its authority %s', (_, pem) => {
  const root = folder()
  root.make(known, authority)
  root.make(forged, pem)
  expect([root.readMachine(), root.authority]).toEqual([known, authority])
})

it('keeps only the certificate by which an authority was pinned', () => {
  const root = folder()
  root.make(known, `${authority}${other}`)
  expect(root.authority).toBe(authority)
})

it('replaces its knowledge when the machine joins another cluster', () => {
  const root = folder()
  root.make(known, authority)
  root.make(forged, other)
  expect([root.readMachine(), root.authority]).toEqual([forged, other])
})

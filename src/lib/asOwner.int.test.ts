import { chownSync, mkdtempSync, rmSync, statSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { asOwnerOf } from './asOwner.ts'

const nobody = 65_534
const isRoot = process.getuid?.() === 0

it.skipIf(!isRoot)(
  `root writes into a folder with the rights of its owner${isRoot ? '' : ' (skipped: needs root)'}`,
  () => {
    const [folder, closed] = ['owned-', 'closed-'].map((name) => mkdtempSync(join(tmpdir(), name))) as [string, string]
    onTestFinished(() => [folder, closed].forEach((one) => rmSync(one, { recursive: true })))
    chownSync(folder, nobody, nobody)
    asOwnerOf(folder, () => writeFileSync(join(folder, 'file'), 'text'))
    expect(statSync(join(folder, 'file'))).toMatchObject({ uid: nobody, gid: nobody })
    symlinkSync(join(closed, 'file'), join(folder, 'link'))
    expect(() => asOwnerOf(folder, () => writeFileSync(join(folder, 'link'), 'text'))).toThrow('EACCES')
    expect([process.geteuid?.(), process.getegid?.()]).toEqual([0, process.getgid?.()])
  },
)

import { execFileSync } from 'node:child_process'
import { chownSync, lstatSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { expect, it, onTestFinished } from 'vitest'
import { controllerLines } from './unitTexts.ts'

const isRoot = process.getuid?.() === 0
/** A user of every Debian, with a group of its name. */
const user = 'daemon'

it.skipIf(!isRoot)(
  `the start of a controller gives its data to its user, but for programs and targets of links${isRoot ? '' : ' (skipped: not root)'}`,
  () => {
    const data = mkdtempSync(join(tmpdir(), 'tandem-own-'))
    onTestFinished(() => rmSync(data, { recursive: true }))
    for (const name of ['program', 'program/releases', 'privileged', 'releases']) mkdirSync(join(data, name))
    for (const name of [
      'program/trial.json',
      'privileged/root-key.cred',
      'releases/one',
      'controller.db',
      'of-another',
    ])
      writeFileSync(join(data, name), '')
    chownSync(join(data, 'of-another'), 12_345, 12_345)
    symlinkSync('program/trial.json', join(data, 'link'))
    const [line] = controllerLines({ user, data, isLowPort: false })
    const [command = '', ...args] = (line ?? '').replace('ExecStartPre=+', '').split(' ')
    execFileSync(command, args)
    const ownerOf = (name: string): number => lstatSync(join(data, name)).uid
    const uid = Number(execFileSync('id', ['-u', user], { encoding: 'utf8' }))
    for (const name of ['releases', 'releases/one', 'controller.db', 'of-another', 'link'])
      expect([name, ownerOf(name)]).toEqual([name, uid])
    for (const name of [
      '.',
      'program',
      'program/releases',
      'program/trial.json',
      'privileged',
      'privileged/root-key.cred',
    ])
      expect([name, ownerOf(name)]).toEqual([name, 0])
  },
)

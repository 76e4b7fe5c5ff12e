import { mkdtempSync, symlinkSync } from 'node:fs'
import { join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { randomRun } from '../lib/testing/randomRun.ts'
import { readIgnoreRules } from './ignoreRules.ts'
import { makeTestFolder, writeFiles } from './releaseFixture.ts'
import { removeTree } from './removeTree.ts'
import { compareRandomTrees, compareWithGit, emptyRepository } from './testing/compareWithGit.ts'

let root: string
let gitFolder: string
beforeAll(async () => {
  root = await makeTestFolder()
  gitFolder = emptyRepository(root)
})
afterAll(() => removeTree(root))

describe('ignore files are read exactly as in git', () => {
  const { seed, count: sets } = randomRun('ignore_sets', { check: 100, soak: 2_000 })

  it(`in ${sets} random trees of nested files, seed ${seed}`, { timeout: 60_000 + sets * 500 }, async () => {
    const { asked, leftOut, differ } = await compareRandomTrees(mkdtempSync(join(root, 'random-')), { sets, seed })
    expect(differ).toEqual({})
    expect(leftOut).toBeGreaterThan(0)
    expect(leftOut).toBeLessThan(asked)
  })

  it.each([
    ['patterns are case-sensitive', { '.gitignore': 'build/\n', 'Build/x': '', 'build/x': '' }, ['build', 'build/x']],
    [
      'a nested file includes a folder again',
      { '.gitignore': 'build/\n', 'sub/.gitignore': '!build/\n', 'sub/build/x': '', 'build/x': '' },
      ['build', 'build/x'],
    ],
    [
      'no ignore file below an excluded folder is read',
      { '.gitignore': 'out/\n', 'out/.gitignore': '!x\n', 'out/x': '' },
      ['out', 'out/.gitignore', 'out/x'],
    ],
    ['lines that end in CR LF', { '.gitignore': 'a\r\n!b\r\n*.c\r\n', a: '', b: '', 'd.c': '' }, ['a', 'd.c']],
  ])('%s', async (name, files, expected) => {
    const top = mkdtempSync(join(root, 'case-'))
    await writeFiles(top, files)
    expect(await compareWithGit(gitFolder, top), name).toEqual({ leftOut: expected, differ: {} })
  })

  it('a .gitignore that is a symlink is ignored by git and Tandem, and reported', async () => {
    const top = mkdtempSync(join(root, 'link-'))
    await writeFiles(top, { rules: 'x\n', 'sub/x': '' })
    symlinkSync('../rules', join(top, 'sub/.gitignore'))
    expect(await compareWithGit(gitFolder, top)).toEqual({ leftOut: [], differ: {} })
    const reported: string[] = []
    const rules = await readIgnoreRules(top, (path) => reported.push(path))
    await rules.enter('sub')
    expect(reported).toEqual(['sub/.gitignore'])
  })

  it('a pattern that could match in many ways takes no extra time', async () => {
    const top = mkdtempSync(join(root, 'slow-'))
    await writeFiles(top, { '.gitignore': `${'*a'.repeat(60)}b\n${'**/a*/'.repeat(40)}b\n`, ['a'.repeat(250)]: '' })
    expect(await compareWithGit(gitFolder, top)).toEqual({ leftOut: [], differ: {} })
  })
})

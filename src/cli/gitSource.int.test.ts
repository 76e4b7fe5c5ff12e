import { execFileSync } from 'node:child_process'
import { mkdirSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { sourceSchema } from '../api/views.ts'
import { gitSource } from './gitSource.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-git-'))
})
afterEach(() => rmSync(folder, { recursive: true }))

const write = (name: string, text = ''): void => writeFileSync(join(folder, name), text)
const git = (...args: string[]): string => {
  const author = ['-c', 'user.name=x', '-c', 'user.email=x@example', '-c', 'commit.gpgsign=false']
  return execFileSync('git', ['-C', folder, ...author, ...args], {
    encoding: 'utf8',
    stdio: ['pipe', 'pipe', 'ignore'],
  })
}
const committed = (subject: string): string => {
  git('init', '--quiet')
  write('message', subject)
  write('.gitignore', 'message\nignored\n')
  git('add', '--all')
  git('commit', '--quiet', '--file', 'message')
  return git('rev-parse', 'HEAD').trim()
}
const source = (at = folder, env = process.env): ReturnType<typeof gitSource> => gitSource(at, env)

describe('the commit of a folder', () => {
  it('is its id and the first line of its message, and whether the folder has other changes', async () => {
    const commit = committed('Shop: pay with cards\n\nBecause people asked.')
    expect(await source()).toEqual({ commit, subject: 'Shop: pay with cards', dirty: false })
    mkdirSync(join(folder, 'part'))
    expect(await source(join(folder, 'part'))).toMatchObject({ commit, dirty: false })
    write('new')
    expect(await source()).toMatchObject({ commit, dirty: true })
    expect(await source(join(folder, 'part'))).toMatchObject({ commit, dirty: false })
  })

  it('is not that of another repository that a hook of git names in its environment', async () => {
    const commit = committed('one')
    const other = { ...process.env, GIT_DIR: '/nowhere', GIT_WORK_TREE: '/', GIT_INDEX_FILE: '/nowhere/index' }
    expect(await source(folder, other)).toMatchObject({ commit, dirty: false })
  })

  it('is missing without git, a repository or a commit, and in a folder that the repository ignores', async () => {
    expect(await source()).toBeNull()
    git('init', '--quiet')
    expect(await source()).toBeNull()
    committed('one')
    mkdirSync(join(folder, 'ignored'))
    expect(await source(join(folder, 'ignored'))).toBeNull()
    expect(await source(folder, { PATH: folder })).toBeNull()
    expect(await source(join(folder, 'gone'))).toBeNull()
  })

  it('is short and valid, whatever its message holds', async () => {
    committed(`\u001b]0;owned\u0007<script>\u202e${'x'.repeat(1_500_000)}\nmore`)
    const long = await source()
    expect(sourceSchema.parse(long)).toEqual(long)
    expect(long?.subject.length).toBeLessThanOrEqual(200)
    expect(long?.subject).toContain('<script>')
  })

  it('has no program run that the repository names', async () => {
    const commit = committed('one')
    git('config', 'core.fsmonitor', `touch ${join(folder, 'ignored')}; false`)
    expect(await source()).toEqual({ commit, subject: 'one', dirty: false })
    expect(execFileSync('ls', [folder], { encoding: 'utf8' })).not.toContain('ignored')
  })
})

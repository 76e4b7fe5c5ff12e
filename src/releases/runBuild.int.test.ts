import { readFile } from 'node:fs/promises'
import { join } from 'node:path'
import { env, kill } from 'node:process'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { definition, makeTestFolder } from './releaseFixture.ts'
import { removeTree } from './removeTree.ts'
import { runBuild } from './runBuild.ts'

let root: string
let output: string
beforeEach(async () => {
  root = await makeTestFolder()
  output = ''
})
afterEach(() => removeTree(root))

const build = (command: string | null, test: string | null = null, signal?: AbortSignal) =>
  runBuild({ ...definition, build: { command, test, output: null } }, root, {
    env: { ...env, GREETING: 'hello' },
    onOutput: ({ stream, bytes }) => (output += `${stream}:${bytes.toString()}`),
    signal,
  })

describe('a build', () => {
  it('runs in the folder with the environment, then the test', async () => {
    await build('echo $GREETING; pwd > where; echo oops >&2', 'cat where')
    expect(output).toContain('out:hello')
    expect(output).toContain('err:oops')
    expect(output).toContain(`out:${root}`)
  })

  it('that fails reports the command and the failure; the test does not run', async () => {
    const failing = build('exit 3', 'touch tested')
    await expect(failing).rejects.toMatchObject({
      code: 'E_BUILD',
      subject: 'exit 3',
      message: expect.stringContaining('status 3'),
    })
    await expect(readFile(join(root, 'tested'))).rejects.toThrow('ENOENT')
    await expect(build(null, 'kill -9 $$')).rejects.toThrow('the test command was killed by SIGKILL')
  })

  it('ends although a background process holds its output', async () => {
    await build('sleep 300 & echo $! > background')
    const background = Number(await readFile(join(root, 'background'), 'utf8'))
    expect(kill(background, 'SIGKILL')).toBe(true)
  })

  it('that is aborted ends with all its child processes', async () => {
    const abort = new AbortController()
    const running = build('sleep 300 & echo $! > background; echo started; wait', null, abort.signal)
    while (!output.includes('started')) await new Promise((resolve) => setImmediate(resolve))
    abort.abort()
    await expect(running).rejects.toThrow('aborted')
    const pid = Number(await readFile(join(root, 'background'), 'utf8'))
    const state = await readFile(`/proc/${pid}/stat`, 'utf8').catch(() => 'gone Z')
    expect(state).toMatch(/ Z/)
  })
})

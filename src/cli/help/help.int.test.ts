import { execFileSync, spawnSync } from 'node:child_process'
import { chmodSync, mkdtempSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { describe, expect, it, onTestFinished } from 'vitest'
import { whyMissing } from '../../lib/testing/aptInstall.ts'
import { commands } from '../routes.ts'
import { fakeController } from '../testing/fakeController.ts'
import { runHere } from '../testing/testHost.ts'
import { instanceStatus, machineStatus, rolloutView, serviceStatus, statusView } from '../testing/views.ts'
import { leavesOf } from './commandTree.ts'
import { completionScripts, type Shell } from './completionScripts.ts'
import { manPage } from './manPage.ts'

const said = async (...argv: string[]): Promise<string> => {
  const { code, out, err } = await runHere(argv, {})
  expect([code, err]).toEqual([0, ''])
  return out
}

describe('help', () => {
  it('fits one screen of 80 columns and 24 lines, and names every command', async () => {
    const text = await said('--help')
    const lines = text.split('\n')
    expect(lines.length).toBeLessThanOrEqual(24)
    expect(Math.max(...lines.map((line) => line.length))).toBeLessThanOrEqual(80)
    const words = new Set(text.split(/[^a-z]+/))
    expect(leavesOf(commands.root).filter(({ words: typed }) => !words.has(typed[0] ?? ''))).toEqual([])
    for (const argv of [[], ['-h'], ['help']]) expect(await said(...argv)).toBe(text)
  })

  it('has a page for every group, with a line for each of its commands', async () => {
    const pages = await Promise.all(commands.groups.map(async ({ name }) => said('help', name)))
    for (const { words } of leavesOf(commands.root)) {
      const typed = new RegExp(`^ {2}tandem ${words.join(' ')} `, 'm')
      expect(
        pages.filter((page) => typed.test(page)),
        words.join(' '),
      ).toHaveLength(1)
    }
  })

  it('explains one command as --help does, for programs too', async () => {
    expect(await said('help', 'machine', 'drain')).toBe(await said('machine', 'drain', '--help'))
    expect(JSON.parse(await said('help', 'rollout', '--json'))).toMatchObject({
      help: { command: 'tandem rollout', commands: [{ name: 'show' }, { name: 'abort' }] },
    })
    expect(JSON.parse(await said('--help', '--json'))).toMatchObject({
      help: { groups: expect.arrayContaining([expect.objectContaining({ name: 'machines' })]) },
    })
  })

  it.each([
    ['drain', 'did you mean: tandem machine drain'],
    ['help drain', 'did you mean: tandem machine drain'],
    ['install', 'did you mean: tandem agent certificate install'],
    ['show', 'tandem rollout show, or tandem maintenance show, or tandem context show'],
    ['machine darin a', 'did you mean: tandem machine drain'],
    ['help machine darin', 'did you mean: tandem machine drain'],
  ])('finds the command that was meant by `tandem %s`', async (typed, next) => {
    const { code, err } = await runHere(typed.split(' '), {})
    expect(code).toBe(2)
    expect(err).toContain(next)
  })
})

describe('completion', () => {
  const cluster = () =>
    fakeController((request, response) => {
      const rollouts = request.url?.includes('/rollouts') ?? false
      const status = statusView({
        machines: [machineStatus({ name: 'alpha' }), machineStatus({ name: 'beta' })],
        services: [
          serviceStatus({ instances: [instanceStatus({ id: 'shop-1-alpha-1' })] }),
          serviceStatus({ service: 'search', instances: [] }),
        ],
      })
      response.end(JSON.stringify(rollouts ? { rollouts: [rolloutView({ id: 'r7k2' })] } : status))
    })
  const words = async (env: NodeJS.ProcessEnv, ...typed: string[]): Promise<string[]> => {
    const { out } = await runHere(['completion', 'words', '--', ...typed], env)
    return out.split('\n').flatMap((line) => line.split('\t')[0] || [])
  }

  it('offers commands, flags, and names of the cluster', async () => {
    const env = await cluster()
    expect(await words(env, 'mach')).toEqual(['machines', 'machine'])
    expect(await words(env, 'machine', 'dr')).toEqual(['drain'])
    expect(await words(env, 'status', '--j')).toEqual(['--json'])
    expect(await words(env, 'restart', 's')).toEqual(['shop', 'search'])
    expect(await words(env, 'restart', '')).toEqual(['shop', 'search'])
    expect(await words(env, 'rollout', 'show', '')).toEqual(['r7k2'])
    expect(await words(env, 'rollout', 'abort', 'r')).toEqual(['r7k2'])
    expect(await words(env, 'machine', 'note', '')).toEqual(['alpha', 'beta'])
    expect(await words(env, 'machine', 'drain', 'al')).toEqual(['alpha'])
    expect(await words(env, 'logs', 'shop', '--machine', 'b')).toEqual(['beta'])
    expect(await words(env, 'logs', 'shop', '--instance', 's')).toEqual(['shop-1-alpha-1'])
  })

  it('offers commands, and prints no error, where no cluster answers', async () => {
    const env = { TANDEM_URL: 'http://127.0.0.1:9', TANDEM_TOKEN: 'tdm_0123456789' }
    expect(await words(env, 'rest')).toEqual(['restart'])
    expect(await runHere(['completion', 'words', '--', 'restart', 's'], env)).toEqual({ code: 0, out: '', err: '' })
  })

  const shells: Record<Shell, string> = {
    bash: 'COMP_WORDS=(tandem "a b" machine dr); COMP_CWORD=3; _tandem; printf "%s\\n" "${COMPREPLY[@]}"',
    zsh: 'words=(tandem "a b" machine dr); CURRENT=4; _tandem; printf "%s\\n" "$offered[@]"',
    fish: 'complete -C \'tandem "a b" machine dr\'',
  }
  for (const [shell, check] of Object.entries(shells)) {
    const why = whyMissing(shell)
    it.skipIf(why)(
      `of ${shell} passes the words on, and offers the candidates${why ? ` (skipped: ${why})` : ''}`,
      () => {
        expect(offered(shell as Shell, check)).toEqual(['drain', 'drop', '']) // the keys are shells
      },
    )
  }

  function offered(shell: Shell, check: string): (string | undefined)[] {
    const folder = mkdtempSync(join(tmpdir(), 'tandem-completion-'))
    onTestFinished(() => rmSync(folder, { recursive: true }))
    const program = `#!/bin/sh\n[ "$*" = "completion words -- a b machine dr" ] && [ $# = 6 ] && printf 'drain\\tTake a machine: out\\ndrop\\n'\n`
    writeFileSync(join(folder, 'tandem'), program)
    chmodSync(join(folder, 'tandem'), 0o755)
    const stubs = shell === 'zsh' ? 'compdef() { : }; _describe() { offered=("${(@)candidates%%:*}") };' : ''
    const script = `${stubs}${completionScripts[shell]}\n${check}`
    const env = { ...process.env, PATH: `${folder}:${process.env['PATH']}`, HOME: folder }
    const printed = execFileSync(shell, ['-c', script], { env, encoding: 'utf8' })
    return printed.split('\n').map((line) => line.split('\t')[0])
  }
})

describe('the manual page', () => {
  const page = manPage(commands, '0.1.0', 1_700_000_000)

  it('has every command and every flag, and the date and version of the program', () => {
    expect(page).toMatch(/^\.TH TANDEM 1 "2023-11-14" "Tandem 0\.1\.0" /)
    const missing = leavesOf(commands.root).filter(({ words }) => !page.includes(`\n.B tandem ${words.join(' ')}`))
    expect(missing).toEqual([])
    expect(page).toContain('.B \\-\\-no\\-deploy\n')
  })

  const why = whyMissing('groff')
  it.skipIf(why)(`is read by groff without a complaint${why ? ` (skipped: ${why})` : ''}`, () => {
    const { stderr } = spawnSync('groff', ['-man', '-Tutf8', '-ww', '-z'], { input: page, encoding: 'utf8' })
    expect(stderr).toBe('')
  })
})

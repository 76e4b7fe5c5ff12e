import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { generateHelpTextForAllCommands, type Application, type CommandContext } from '@stricli/core'
import { afterEach, beforeEach, describe, expect, it } from 'vitest'
import { buildApplicationFor } from './application.ts'
import { Contexts } from './contexts.ts'
import { commands } from './routes.ts'
import { runHere, type CliRun } from './testing/testHost.ts'

let folder: string
beforeEach(() => {
  folder = mkdtempSync(join(tmpdir(), 'tandem-cli-'))
})
afterEach(() => rmSync(folder, { recursive: true, force: true }))

const run = (...argv: string[]): Promise<CliRun> =>
  runHere(argv, { XDG_CONFIG_HOME: join(folder, 'config'), HOME: folder }, folder)

describe('a wrong command line', () => {
  it.each([
    ['statsu', 'did you mean: tandem status'],
    ['status --jsno', 'did you mean --json?'],
    ['deploy shop', '--release is required'],
    ['deploy shop --release', '--release needs a value'],
    ['push --dryrun', 'next  tandem push --help '],
    ['machine note a note that is not quoted', 'next  tandem machine note --help '],
    ['run shop', 'SERVICE -- ARGV is incomplete'],
    ['machine note a ', 'next  tandem machine note a --clear '],
    [`machine note a ${'x'.repeat(501)}`, 'a note has at most 500 characters'],
    ['restart', 'SERVICE is missing'],
    ['restart shop other', 'one argument too many'],
    ['up --port eighty', 'must be a whole number'],
    ['controller token create --role boss --name x', 'one of: operator, reader, agent'],
    ['rollout shwo', 'there is no command shwo'],
  ])('%s', async (line, said) => {
    const { code, out, err } = await run(...line.split(' '))
    expect(err).toContain(said)
    expect(err).toContain('E_USAGE')
    expect([code, out]).toEqual([2, ''])
  })

  it('prints JSON on stdout with --json', async () => {
    const { code, out, err } = await run('statsu', '--json')
    expect(JSON.parse(out)).toEqual({
      error: {
        ...{ code: 'E_USAGE', message: 'there is no command statsu', subject: 'statsu' },
        next: 'did you mean: tandem status',
      },
    })
    expect([code, err]).toEqual([2, ''])
  })
})

describe('without a cluster', () => {
  it('exits with 2 without a context, and shows how to get one', async () => {
    const { code, err } = await run('status')
    expect(code).toBe(2)
    expect(err).toContain('tandem up')
  })

  it('exits with 3 if nothing listens', async () => {
    writeFileSync(join(folder, 'token'), 'tdm_0123456789')
    const added = await run('context', 'add', 'gone', '--url', 'http://127.0.0.1:9', '--token-file', 'token')
    expect(added).toMatchObject({ code: 3, out: '', err: expect.stringContaining('the context was not saved') })
    new Contexts(join(folder, 'config/tandem')).set('gone', { url: 'http://127.0.0.1:9', token: 'tdm_0123456789' })
    const { code, out } = await run('status', '--context', 'gone', '--json')
    expect(code).toBe(3)
    expect(JSON.parse(out)).toMatchObject({
      error: { code: 'E_CONTROLLER_UNREACHABLE', subject: 'http://127.0.0.1:9' },
    })
  })
})

describe('init and validate', () => {
  it('write a valid file, and never overwrite it', async () => {
    writeFileSync(join(folder, 'package.json'), '{"name":"shop","scripts":{"start":"node server.js"}}')
    expect(await run('init')).toMatchObject({ code: 0 })
    expect(await run('validate')).toMatchObject({ code: 0, out: expect.stringContaining('is valid') })
    const again = await run('init', '--json')
    expect(again.code).toBe(4)
    expect(JSON.parse(again.out)).toMatchObject({ error: { code: 'E_FILE_EXISTS' } })
  })

  it('show for every route who can reach it, in text and in JSON', async () => {
    const text = 'service: queue\nrun: ./q\nlisten: tcp\nroutes: [{ port: 5672 }, { port: 1883, expose: public }]\n'
    writeFileSync(join(folder, 'tandem.yaml'), text)
    const { out } = await run('validate')
    expect(out).toContain(
      "  tcp port 5672 is local (the default): only programs on the cluster's machines can reach it",
    )
    expect(out).toContain('  tcp port 1883 is public: everybody can reach it')
    expect(JSON.parse((await run('validate', '--json')).out)).toMatchObject({
      files: [
        {
          routes: [
            { environment: null, route: 'tcp port 5672', expose: 'local', byDefault: true },
            { environment: null, route: 'tcp port 1883', expose: 'public', byDefault: false },
          ],
        },
      ],
    })
  })

  it('mark a warning as a warning', async () => {
    writeFileSync(join(folder, 'tandem.yaml'), 'service: shop\nrun: ./a | ./b\n')
    const { code, out, err } = await run('validate')
    expect(err).toMatch(/tandem\.yaml:2:6: warning: no shell runs this: .*\n {2}2 \| run/)
    expect(out).toContain('service shop is valid, with 1 warning')
    expect(code).toBe(0)
  })

  it('show every error of every file, and the line', async () => {
    writeFileSync(join(folder, 'tandem.yaml'), 'service: shop\nrun: x\nhelth: {}\n')
    writeFileSync(join(folder, 'cluster.yaml'), 'cluster: production\n')
    const { code, err } = await run('validate', 'tandem.yaml', 'cluster.yaml')
    expect(code).toBe(2)
    expect(err).toMatch(/tandem\.yaml:3:1: .*\n {2}3 \| helth: \{\}\n/)
    expect(err).toContain('cluster.yaml:1:1:')
  })
})

describe('help and version for programs', () => {
  it('are one JSON object each, and nothing else', async () => {
    const said = async (...argv: string[]): Promise<unknown> => {
      const { code, out } = await runHere(argv, {})
      expect([code, out.endsWith('\n'), out.trimEnd().includes('\n')]).toEqual([0, true, false])
      return JSON.parse(out)
    }
    expect(await said('--version', '--json')).toEqual({ version: '9.9.9' })
    expect(await said('--json', '--version')).toEqual({ version: '9.9.9' })
    expect(await said('--help', '--json')).toMatchObject({
      help: { command: 'tandem', commands: expect.arrayContaining([{ name: 'push', brief: expect.any(String) }]) },
    })
    expect(await said('rollout', '--help', '--json')).toMatchObject({
      help: { command: 'tandem rollout', commands: [{ name: 'show' }, { name: 'abort' }] },
    })
    expect(await said('run', '--help', '--json')).toMatchObject({
      help: {
        command: 'tandem run',
        text: expect.stringContaining('EXAMPLE'),
        flags: expect.arrayContaining([expect.objectContaining({ name: '--machine', takes: 'M' })]),
      },
    })
  })
})

function helpOfAll(): readonly (readonly [string, string])[] {
  // Help needs only the table of commands, no context.
  const application = buildApplicationFor(commands, '0', [], () => {}) as unknown as Application<CommandContext>
  return generateHelpTextForAllCommands(application)
}

describe('every command', () => {
  const all = helpOfAll()
  const documented = readFileSync(join(import.meta.dirname, '../../docs/commands.md'), 'utf8').split(/^#+ /m)

  it.each(all.map(([name, help]) => ({ name, help })))(
    '$name has --json, --context, an example, and is documented',
    ({ name, help }) => {
      expect(help).toContain('--json')
      expect(help).toContain('--context')
      expect(help).toMatch(new RegExp(`EXAMPLE\\n {2}${name}`))
      const section = documented.find((text) => text.startsWith(`\`${name}\``))
      expect(section).toBeDefined()
      const flags = [...help.matchAll(/--([a-z-]+)/g)].map(([flag]) => flag)
      const common = ['--json', '--context', '--help', '--dry-run']
      const missing = flags.filter((flag) => !common.includes(flag) && !section?.includes(flag))
      expect(missing.filter((flag) => flag !== '--eval')).toEqual([])
    },
  )
})

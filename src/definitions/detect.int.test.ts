import { mkdir, mkdtemp, rm, symlink, writeFile } from 'node:fs/promises'
import { tmpdir } from 'node:os'
import { dirname, join } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import type { Definition } from './definition.ts'
import { detectProject, type DetectedProject } from './detect.ts'
import { nameFrom } from './detect/serviceName.ts'
import { parseDefinition } from './parseDefinition.ts'

let root = ''
beforeAll(async () => {
  root = await mkdtemp(join(tmpdir(), 'tandem-detect-'))
})
afterAll(async () => {
  await rm(root, { recursive: true, force: true })
})

let count = 0
async function detect(
  files: Record<string, string>,
  name = 'My Shop',
): Promise<DetectedProject & { definition: Definition }> {
  const dir = join(root, String(count++), name)
  await mkdir(dir, { recursive: true })
  for (const [file, content] of Object.entries(files)) {
    await mkdir(dirname(join(dir, file)), { recursive: true })
    await writeFile(join(dir, file), content)
  }
  const project = await detectProject(dir)
  const { definition, warnings } = parseDefinition(project.yaml, 'tandem.yaml')
  expect(warnings).toEqual([])
  expect(definition.service).toBe(project.service)
  return { ...project, definition }
}

const pkg = (content: object): string => JSON.stringify(content)
const none = { command: null, output: null, test: null }
const server = ['python3', '-m', 'http.server', '${PORT}', '--bind', '${HOST}']

describe('detectProject', () => {
  it('detects Node: scripts, lockfile, and files that git ignores and the service needs', async () => {
    const project = await detect({
      'package.json': pkg({ scripts: { start: 'node dist/server.js', build: 'tsc', test: 'vitest run' } }),
      'package-lock.json': '{}',
      '.gitignore': 'node_modules\ndist\n.env\n',
    })
    expect(project.kind).toBe('node')
    expect(project.definition.service).toBe('my-shop')
    expect(project.definition.run).toEqual(['node', 'dist/server.js'])
    expect(project.definition.build).toEqual({ command: 'npm ci && npm run build', output: null, test: 'npm run test' })
    expect(project.ignore?.split('\n')).toEqual(expect.arrayContaining(['.env', 'dist', '!node_modules/', '!dist/']))
  })

  it.each([
    ['pnpm-lock.yaml', 'pnpm install --frozen-lockfile', ['pnpm', 'run', 'start']],
    ['yarn.lock', 'yarn install --immutable', ['yarn', 'run', 'start']],
    ['bun.lock', 'bun install --frozen-lockfile', ['bun', 'run', 'start']],
  ])('detects Node with %s', async (lockfile, install, run) => {
    const scripts = { start: 'NODE_ENV=production next start', test: 'echo "Error: no test specified" && exit 1' }
    const { definition, ignore } = await detect({ 'package.json': pkg({ scripts }), [lockfile]: '' })
    expect(definition.run).toEqual(run)
    expect(definition.build).toEqual({ command: install, output: null, test: null })
    expect(ignore).toBeNull()
  })

  it('detects Node by its main, by a file, and with a malformed manifest', async () => {
    expect((await detect({ 'package.json': pkg({ main: 'src/x.js' }) })).definition.run).toEqual(['node', 'src/x.js'])
    expect((await detect({ 'server.mjs': '' })).definition.run).toEqual(['node', 'server.mjs'])
    expect((await detect({ 'package.json': '{ broken' })).definition.run).toEqual(['node', 'server.js'])
    expect((await detect({ 'package.json': '[1, null]' })).kind).toBe('node')
    expect(
      (await detect({ 'package.json': pkg({ scripts: { start: 5, test: 'a: "b" # \'c\'\n- d' } }) })).definition.build
        .test,
    ).toBe('npm run test')
  })

  it('detects sites that Node builds', async () => {
    const { kind, definition } = await detect({
      'package.json': pkg({ scripts: { build: 'vite build' } }),
      'index.html': '',
    })
    expect([kind, definition.run, definition.build]).toEqual([
      'node',
      server,
      { command: 'npm install && npm run build', output: 'dist', test: null },
    ])
  })

  it('detects Python', async () => {
    expect((await detect({ 'app.py': '' })).definition).toMatchObject({ run: ['python3', 'app.py'], build: none })
    const flask = await detect({
      'requirements.txt': 'Flask==3\npytest',
      'main.py': '',
      'tests/a.py': '',
      '.gitignore': '.venv',
    })
    expect(flask.kind).toBe('python')
    expect(flask.definition.run).toEqual([
      '.venv/bin/python',
      '-m',
      'flask',
      '--app',
      'main',
      'run',
      '--host',
      '${HOST}',
      '--port',
      '${PORT}',
    ])
    expect(flask.definition.build).toEqual({
      command: 'python3 -m venv --copies .venv && .venv/bin/python -m pip install -r requirements.txt',
      output: null,
      test: '.venv/bin/python -m pytest',
    })
    expect(flask.ignore).toContain('!.venv/')
    const fast = await detect({ 'pyproject.toml': '[project]\ndependencies = ["fastapi", "uvicorn"]', 'app.py': '' })
    expect(fast.definition.run.slice(1, 4)).toEqual(['-m', 'uvicorn', 'app:app'])
    const django = await detect({ 'requirements.txt': 'django', 'manage.py': '' })
    expect(django.definition.run).toEqual([
      '.venv/bin/python',
      'manage.py',
      'runserver',
      '--noreload',
      '${HOST}:${PORT}',
    ])
  })

  it('detects Go', async () => {
    const { kind, definition } = await detect({ 'go.mod': 'module example.com/shop\n', 'main.go': '' })
    expect([kind, definition.run]).toEqual(['go', ['./my-shop']])
    expect(definition.build).toEqual({
      command: 'mkdir -p dist && CGO_ENABLED=0 go build -o dist/my-shop .',
      output: 'dist',
      test: 'go test ./...',
    })
    const command = await detect({ 'go.mod': '', 'cmd/my-shop/main.go': '' })
    expect(command.definition.build.command).toContain('./cmd/my-shop')
  })

  it.each<[Record<string, string>, string]>([
    [{ 'cmd/shopd/main.go': '', 'cmd/README': '' }, './cmd/shopd'],
    [{ 'cmd/migrate/main.go': '', 'cmd/server/main.go': '', 'cmd/lib/lib.go': 'package lib' }, './cmd/server'],
    [{ 'cmd/a/run.go': '// A.\npackage main\n', 'cmd/store/main.go': '' }, './cmd/store'],
    [{ 'shop.go': 'package shop\n', 'cmd/x/main.go': '' }, './cmd/x'],
    [{ 'shop.go': 'package shop\n', 'shop_test.go': 'package main\n', 'cmd/main.go': '' }, './cmd'],
    [{ 'serve.go': 'package main\n', 'cmd/x/main.go': '' }, '.'],
    [{ 'cmd/$(x)/main.go': '' }, '.'],
  ])('finds the program of a Go module: %j', async (files, program) => {
    const { definition } = await detect({ 'go.mod': 'module example.com/store/v2\n', ...files })
    expect(definition.build.command?.split(' ').at(-1)).toBe(program)
  })

  it('builds the assets of Rails and Phoenix', async () => {
    const gems = `gem "rails", "~> 8.0"\ngem "propshaft"\ngem "puma"`
    const rails = await detect({ Gemfile: gems, '.gitignore': '/public/assets\n/vendor/bundle\n' })
    expect(rails.definition.build.command).toMatch(
      / bundle install && .*RAILS_ENV=production bundle exec rails assets:precompile$/,
    )
    expect(rails.definition.env['RAILS_SERVE_STATIC_FILES']).toBe('1')
    expect(rails.ignore?.split('\n')).toContain('!public/assets/')
    const older = await detect({ Gemfile: `gem 'rails', '~> 6.1'`, 'app/assets/config/manifest.js': '' })
    expect(older.definition.build.command).toContain('assets:precompile')
    const api = await detect({ Gemfile: `gem "rails"\ngem "puma"` })
    expect(api.definition.build.command).not.toContain('assets')

    const mix = (aliases: string): string => `[app: :shop, deps: [{:phoenix, "~> 1"}], aliases: [${aliases}]]`
    const build = async (files: Record<string, string>): Promise<string | null> =>
      (await detect(files)).definition.build.command
    const release = 'MIX_ENV=prod mix release --overwrite'
    const deps = 'mix deps.get --only prod'
    expect(await build({ 'mix.exs': mix('"assets.deploy": ["esbuild default --minify"]') })).toBe(
      `${deps} && MIX_ENV=prod mix assets.deploy && ${release}`,
    )
    expect(await build({ 'mix.exs': mix(''), 'assets/package.json': pkg({ scripts: { deploy: 'webpack' } }) })).toBe(
      `${deps} && npm --prefix assets ci && npm --prefix assets run deploy && MIX_ENV=prod mix phx.digest && ${release}`,
    )
    expect(await build({ 'mix.exs': mix('') })).toBe(`${deps} && ${release}`)
  })

  it('detects Ruby', async () => {
    const rails = await detect({ Gemfile: `gem "rails"\ngem "puma"`, 'config.ru': '', 'package.json': pkg({}) })
    expect([rails.kind, rails.definition.run]).toEqual([
      'ruby',
      ['bundle', 'exec', 'puma', '--bind', 'tcp://${HOST}:${PORT}'],
    ])
    expect(rails.definition.env['RAILS_ENV']).toBe('production')
    const rack = await detect({ 'config.ru': '' })
    expect(rack.definition.run).toEqual(['rackup', '--host', '${HOST}', '--port', '${PORT}'])
  })

  it('detects Elixir', async () => {
    const { kind, definition } = await detect({
      'mix.exs': 'def project, do: [app: :my_app, deps: [{:phoenix, "~> 1"}]]',
    })
    expect([kind, definition.run, definition.build.output]).toEqual([
      'elixir',
      ['./bin/my_app', 'start'],
      '_build/prod/rel/my_app',
    ])
    expect(definition.env['PHX_SERVER']).toBe('true')
  })

  it('detects static folders', async () => {
    const top = await detect({ 'index.html': '', 'index.js': '' })
    expect([top.kind, top.definition.run, top.definition.build]).toEqual(['static', server, none])
    expect(top.ignore).toMatch(/^\/tandem\.yaml$/m)
    const below = await detect({ 'public/index.html': '' })
    expect(below.ignore).toBeNull()
    expect([below.kind, below.definition.build.output]).toEqual(['static', 'public'])
  })

  it('writes a definition to start from for an unknown project', async () => {
    expect((await detect({})).kind).toBe('unknown')
    const dir = join(root, 'odd')
    await mkdir(join(dir, 'package.json'), { recursive: true })
    await symlink('/nowhere', join(dir, 'go.mod'))
    expect((await detectProject(dir)).kind).toBe('unknown')
  })

  it('refuses a folder that does not exist', async () => {
    await expect(detectProject(join(root, 'nowhere'))).rejects.toThrow('ENOENT')
  })
})

describe('nameFrom', () => {
  it.each([
    ['shop', 'shop'],
    ['My Shop_2', 'my-shop-2'],
    ['2048', 'app-2048'],
    ['Café', 'cafe'],
    ['日本', 'app'],
    ['--', 'app'],
    ['null', 'null'],
    [`${'a'.repeat(39)}-b`, 'a'.repeat(39)],
  ])('%s is %s', (folder, name) => {
    expect(nameFrom(folder)).toBe(name)
  })

  it('is quoted where YAML needs it', async () => {
    expect((await detect({}, 'null')).definition.service).toBe('null')
    expect((await detect({}, 'true')).definition.service).toBe('true')
  })
})

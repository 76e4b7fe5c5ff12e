import { expect, it } from 'vitest'
import { missingContent } from './missingContent.ts'

const leftOut = ['.env', '.venv/', 'app.log', 'config/local.json', 'deps/', 'dist/', 'node_modules/', 'vendor/']
const hints = (line: string, ignoreFile = '.gitignore', paths = leftOut): string =>
  missingContent(['Error:', line, '    at x'], { ignoreFile, paths }).join('\n')

it.each([
  ["Error: Cannot find module 'express'", 'node_modules/'],
  ["Error [ERR_MODULE_NOT_FOUND]: Cannot find package 'hono' imported from /r/server.js", 'node_modules/'],
  ["Error: Cannot find module '/var/lib/tandem/releases/3f/dist/server.js'", 'dist/'],
  ["ModuleNotFoundError: No module named 'flask'", '.venv/'],
  ['<internal:rubygems>: cannot load such file -- sinatra (LoadError)', 'vendor/'],
  ['PHP Fatal error: Failed opening required vendor/autoload.php', 'vendor/'],
  ['** (Mix) Could not find dependency :plug', 'deps/'],
  ["ENOENT: no such file or directory, open 'config/local.json'", 'config/local.json'],
  ['cannot execute /r/dist/app: No such file or directory', 'dist/'],
])('%s: names %s', (line, missing) => {
  expect(hints(line)).toContain(`the instance did not find ${missing}: .gitignore excludes it from the release`)
})

it.each([
  "Error: Cannot find module './routes.js'",
  'listening on 3000',
  "ENOENT: no such file or directory, open 'myconfig/local.json'",
  "ENOENT: no such file or directory, open 'config/local.json5'",
  'GET /dist/app.js 200',
])('gives no hint for: %s', (line) => expect(hints(line)).toBe(''))

it('gives no hint if nothing was excluded', () =>
  expect(hints("Error: Cannot find module 'express'", '.gitignore', [])).toBe(''))

it('gives a command that includes the path, and only that path', () => {
  const line = "Error: Cannot find module 'express'"
  expect(hints(line)).toContain("{ cat .gitignore; printf '\\n%s\\n' '!/node_modules/'; } > .tandemignore")
  expect(hints(line, '.tandemignore')).toContain("  printf '\\n%s\\n' '!/node_modules/' >> .tandemignore")
  expect(hints("ENOENT: it's [a]*", '.gitignore', ["it's [a]*"])).toContain(String.raw`'!/it'\''s \[a]\*'`)
})

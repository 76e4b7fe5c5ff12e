import type { Folder } from './folder.ts'
import type { Finding } from './renderYaml.ts'

export async function detectGo(folder: Folder, service: string): Promise<Finding | null> {
  const manifest = await folder.read('go.mod')
  if (manifest === null) return null
  const module = /^module\s+"?([^\s"]+)/m.exec(manifest)?.[1]
  const { program, others } = await programIn(folder, [service, lastName(module)])
  return {
    found: `a Go module (${module === undefined ? 'go.mod' : module.slice(0, 80)})`,
    run: [`./${service}`],
    ...(others.length > 0 ? { runNote: `built from ${program}; there is also ${others.join(', ')}` } : {}),
    build: {
      // Without cgo the program runs on any Linux of the same processor, with any C library.
      command: `mkdir -p dist && CGO_ENABLED=0 go build -o dist/${service} ${program}`,
      output: 'dist',
      test: 'go test ./...',
    },
  }
}

/** Usual names of the program that serves, where a module has several. */
const usual = ['server', 'web', 'api', 'app', 'main']
const mostOthers = 5

/** The package to build: the module itself where it is a program, else one in `cmd/`. */
async function programIn(folder: Folder, meant: string[]): Promise<{ program: string; others: string[] }> {
  if (await isProgram(folder, '', folder.names)) return { program: '.', others: [] }
  const below = await folder.list('cmd')
  const programs: string[] = []
  for (const name of below) {
    // A shell must not read the name as anything but a path.
    if (/^[\w.-]+$/.test(name) && (await isProgram(folder, `cmd/${name}/`, await folder.list(`cmd/${name}`)))) {
      programs.push(name)
    }
  }
  const chosen = [...meant, ...usual].find((name) => programs.includes(name)) ?? programs[0]
  if (chosen === undefined) return { program: (await isProgram(folder, 'cmd/', below)) ? './cmd' : '.', others: [] }
  const others = programs.filter((name) => name !== chosen).map((name) => `./cmd/${name}`)
  return { program: `./cmd/${chosen}`, others: others.slice(0, mostOthers) }
}

async function isProgram(folder: Folder, path: string, names: readonly string[]): Promise<boolean> {
  if (names.includes('main.go')) return true
  for (const name of names.filter((one) => one.endsWith('.go') && !one.endsWith('_test.go'))) {
    if (/^package main\b/m.test((await folder.read(`${path}${name}`)) ?? '')) return true
  }
  return false
}

/** Returns `shop` for `example.com/team/shop/v2`. */
const lastName = (module = ''): string =>
  module
    .replace(/\/v\d+$/, '')
    .split('/')
    .at(-1) ?? ''

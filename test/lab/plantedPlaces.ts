import { copyFileSync, existsSync, mkdtempSync, readdirSync, readFileSync, rmSync, statSync } from 'node:fs'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { DatabaseSync } from 'node:sqlite'
import type { Found, ValueSearch } from '../../src/lib/testing/valueSearch.ts'
import type { LabMachine } from './labMachine.ts'

export interface FoundIn extends Found {
  path: string
}

/** The clock of a file system is that much behind the system's. */
const coarseMs = 1_000
const sqlite = 'SQLite format 3\0'

/** Searches the files below a folder that changed since then: no other can hold a value that was made later. */
export function searchFiles(
  search: ValueSearch,
  folder: string,
  since: number,
  but: readonly string[] = [],
): FoundIn[] {
  return filesBelow(folder, but).flatMap((path) => {
    try {
      if (statSync(path).ctimeMs < since - coarseMs) return []
      const bytes = readFileSync(path)
      const inside = bytes.toString('latin1', 0, sqlite.length) === sqlite ? searchDatabase(search, path) : []
      return [...search.in(bytes), ...inside].map((found) => ({ ...found, path: path.slice(folder.length) }))
    } catch (error) {
      if (error instanceof Error && 'code' in error && error.code === 'ENOENT') return []
      throw error
    }
  })
}

function filesBelow(folder: string, but: readonly string[]): string[] {
  if (but.includes(folder) || !existsSync(folder)) return []
  return readdirSync(folder, { withFileTypes: true }).flatMap((entry) => {
    const path = join(folder, entry.name)
    if (entry.isDirectory()) return filesBelow(path, but)
    return entry.isFile() ? [path] : []
  })
}

/** Its content too: pages cut what is larger than they are. */
function searchDatabase(search: ValueSearch, path: string): Found[] {
  const folder = mkdtempSync(join(tmpdir(), 'planted-'))
  try {
    for (const end of ['', '-wal']) if (existsSync(path + end)) copyFileSync(path + end, join(folder, `copy.db${end}`))
    using database = new DatabaseSync(join(folder, 'copy.db'))
    const tables = database.prepare("SELECT name FROM sqlite_master WHERE type = 'table'").all()
    return tables.flatMap(({ name }) =>
      [...database.prepare(`SELECT * FROM "${String(name)}"`).iterate()].flatMap((row) =>
        Object.values(row).flatMap((cell) =>
          typeof cell === 'string' || cell instanceof Uint8Array ? search.in(Buffer.from(cell as string)) : [],
        ),
      ),
    )
  } finally {
    rmSync(folder, { recursive: true, force: true })
  }
}

const much = { outputBytes: 512 * 1024 * 1024, timeoutMs: 120_000 }

/** The journal of the machine, as it exports it. */
export const journalOf = (machine: LabMachine, since: number): Promise<string> =>
  machine.must(['journalctl', '--no-pager', '-o', 'export', '--since', `@${Math.floor(since / 1000)}`], much)

/** Everything about processes and units that this user sees. */
export async function seenBy(machine: LabMachine, user: string): Promise<string> {
  const look = [
    'cat /proc/[0-9]*/cmdline /proc/[0-9]*/environ /proc/[0-9]*/comm 2>/dev/null | tr "\\0" "\\n"',
    'systemctl show --all "tandem-*" 2>&1; systemctl cat "tandem-*" 2>&1; systemctl show-environment 2>&1',
    'journalctl --no-pager -n 10000 2>&1; cat /run/credentials/*/* /etc/tandem/env/* 2>&1; ls -lR /run /tmp 2>&1',
  ]
  return (await machine.run(['runuser', '-u', user, '--', 'sh', '-c', look.join('\n')], much)).out
}

/** Asks HAProxy's master for its worker's answers. */
const asking = `
const { connect } = require('node:net')
const ask = (command) => new Promise((resolve) => {
  let text = ''
  const socket = connect('/run/tandem-haproxy/master.sock')
  socket.on('data', (data) => (text += data)).on('close', () => resolve(text)).on('error', (error) => resolve(String(error)))
  socket.end(command + '\\n')
})
const commands = JSON.parse(require('node:fs').readFileSync(0, 'utf8'))
const all = async () => { for (const one of commands) console.log(await ask(one)) }
all()
`

export const askHaproxy = (machine: LabMachine, commands: readonly string[]): Promise<string> =>
  machine.must(['node', '-e', asking], { ...much, input: JSON.stringify(commands) })

export interface ApiRequest {
  method: string
  path: string
  token: string
  body?: string
  headers?: Record<string, string>
  /** The stream does not end: its first message is enough. */
  first?: boolean
}

/** Sends requests one after the other, and prints each answer: status, head, and the body as it came. */
const requesting = `
const { readFileSync } = require('node:fs')
const { request } = require('node:https')
const { url, requests } = JSON.parse(readFileSync(0, 'utf8'))
const ask = ({ method, path, token, body, headers, first }) => new Promise((resolve, reject) => {
  const sent = request(url + path, { method, ca: readFileSync('/root/authority.pem'), headers: { authorization: 'Bearer ' + token, ...headers } }, (answer) => {
    const parts = []
    const done = () => resolve({ status: answer.statusCode, body: Buffer.concat([Buffer.from(answer.rawHeaders.join('\\n') + '\\n'), ...parts]).toString('base64') })
    answer.on('data', (data) => { parts.push(data); if (first && (answer.headers['content-encoding'] ? data.length > 10 : data.includes('\\n\\n'))) { done(); answer.destroy() } }).on('end', done).on('error', done)
  })
  sent.setTimeout(20_000, () => sent.destroy(new Error('no end of ' + path)))
  sent.on('error', reject).end(body)
})
const all = async () => { const answers = []; for (const one of requests) answers.push(await ask(one)); console.log(JSON.stringify(answers)) }
all()
`

export async function askApi(
  machine: LabMachine,
  url: string,
  requests: readonly ApiRequest[],
): Promise<{ status: number; body: Buffer }[]> {
  const out = await machine.must(['node', '-e', requesting], { ...much, input: JSON.stringify({ url, requests }) })
  return (JSON.parse(out) as { status: number; body: string }[]).map(({ status, body }) => ({
    status,
    body: Buffer.from(body, 'base64'),
  }))
}

interface OpenApi {
  paths: Record<string, Record<string, { parameters?: { name: string; in: string; required?: boolean }[] }>>
}

/** Streams that go on until their reader goes. */
const endless = ['/api/v1/live']

/** Every GET of the API that `values` gives the parameters of; throws if it lacks one. */
export function readings({ paths }: OpenApi, values: Record<string, string>): { path: string; first: boolean }[] {
  return Object.entries(paths).flatMap(([path, { get }]) => {
    if (!get || path.includes('/channels/')) return []
    const needed = (get.parameters ?? []).filter((one) => one.in === 'path' || one.required === true)
    const filled = needed.map((one) => {
      const value = values[one.name]
      if (value === undefined) throw new Error(`no value for ${one.name} of ${path}`)
      return { ...one, value: encodeURIComponent(value) }
    })
    const place = filled.reduce((text, { name, value }) => text.replace(`{${name}}`, value), path)
    const query = filled.filter((one) => one.in === 'query').map(({ name, value }) => `${name}=${value}`)
    return [{ path: query.length > 0 ? `${place}?${query.join('&')}` : place, first: endless.includes(path) }]
  })
}

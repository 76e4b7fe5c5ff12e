// Everything but TCP: sockets, files, memory, processes, units and the journal. It changes nothing.
import { execFile } from 'node:child_process'
import { lstatSync, readdirSync, readFileSync, statSync, openSync, readSync, closeSync } from 'node:fs'
import { cwd, env, getuid, kill } from 'node:process'
import { setImmediate as turn } from 'node:timers/promises'
import { promisify } from 'node:util'
import { routes, unixSockets } from './machine.mjs'
import { tryConnect } from './scan.mjs'

/** @typedef {import('./report.mjs').Finding} Finding */

const run = promisify(execFile)
const patienceMs = 5_000
const mostFiles = 100_000
const mostShown = 10
const writableByAll = 0o002

/**
 * `null` if the attempt gave anything; else the reason.
 * @param {() => boolean} attempt
 * @returns {string | null}
 */
function reasonOf(attempt) {
  try {
    return attempt() ? null : 'nothing there'
  } catch (error) {
    return error instanceof Error && 'code' in error ? String(error.code) : String(error)
  }
}

const reads = (/** @type {string} */ path) => () => {
  const file = openSync(path, 'r')
  try {
    return readSync(file, Buffer.alloc(1), 0, 1, null) > 0
  } finally {
    closeSync(file)
  }
}
const lists = (/** @type {string} */ path) => () => readdirSync(path).length > 0

/**
 * @param {string} what
 * @param {string | null} reason
 * @param {Finding['verdict']} verdict if it was reached
 * @param {string} note then
 * @returns {Finding}
 */
const found = (what, reason, verdict, note) =>
  reason === null ? { verdict, what, note } : { verdict: 'refused', what, note: reason }

const ofTandem = ['/run/tandem/privileged.sock', '/var/lib/tandem/self/agent.sock', '/run/systemd/private']

/** @returns {AsyncGenerator<Finding>} */
export async function* sockets() {
  for (const path of new Set([...ofTandem, ...unixSockets()])) {
    const outcome = await tryConnect({ path: path.replace('@', '\0') })
    const reason = outcome === 'connected' ? null : outcome
    if (path.startsWith('@')) yield found(path, reason, 'documented', 'an abstract socket')
    else if (reason === null && reasonOf(() => (statSync(path).mode & writableByAll) > 0) === null)
      yield found(path, null, 'documented', 'open to every program of the machine')
    else yield found(path, reason, 'UNEXPECTED', 'a socket of others')
  }
}

const otherServices = () => [...routes().values()].filter((service) => service !== env.TANDEM_SERVICE).toSorted()

/** @returns {AsyncGenerator<Finding>} */
export async function* files() {
  const folders = [
    ...['/etc/tandem', '/etc/tandem/env', '/var/lib/tandem/identity'],
    // The folder above them leads to the release of the service, and has nothing else.
    ...['secrets', 'credentials', 'environment', 'files'].map((name) => `/var/lib/tandem/privileged/${name}`),
    ...['/var/lib/tandem/cache/objects', '/var/lib/tandem-controller', '/run/credentials', '/root', '/home'],
    ...otherServices().flatMap((name) => [`/var/lib/private/tandem-data/${name}`, `/var/lib/tandem-data/${name}`]),
  ]
  const secrets = [
    ...['/etc/shadow', '/var/lib/tandem/haproxy/machine.pem', '/var/lib/tandem/haproxy/haproxy.cfg'],
    ...['/var/lib/tandem/desired.json', ...otherServices().map((name) => `/etc/tandem/env/${name}.env`)],
  ]
  for (const path of folders) yield found(path, reasonOf(lists(path)), 'UNEXPECTED', 'listed')
  for (const path of secrets) yield found(path, reasonOf(reads(path)), 'UNEXPECTED', 'read')
  yield* ofOtherUsers(['/var/lib', '/etc/tandem', '/run', '/tmp', '/var/tmp', '/srv'])
}

/** Files that it can read, and that belong neither to root nor to it. @param {string[]} folders */
async function* ofOtherUsers(folders) {
  const users = new Map(
    readFileSync('/etc/passwd', 'utf8').split('\n').map((line) => [Number(line.split(':')[2]), line.split(':')[0]]),
  )
  let [seen, shown] = [0, 0]
  for await (const path of below(folders)) {
    if (++seen > mostFiles || shown > mostShown) break
    let uid = 0
    reasonOf(() => (uid = lstatSync(path).uid) > 0)
    if (uid === 0 || uid === getuid?.() || reasonOf(reads(path)) !== null) continue
    const user = users.get(uid) ?? String(uid)
    const isService = user.startsWith('tandem-')
    shown++
    yield found(path, null, isService ? 'UNEXPECTED' : 'documented', `a file of the user ${user}`)
  }
  if (shown === 0) yield found(`others of ${folders.join(', ')}`, 'none readable', 'UNEXPECTED', '')
}

/** Ordinary files, without its own release and data. @param {string[]} folders @returns {AsyncGenerator<string>} */
async function* below(folders) {
  for (const folder of folders) {
    await turn()
    /** @type {import('node:fs').Dirent[]} */
    let entries = []
    reasonOf(() => (entries = readdirSync(folder, { withFileTypes: true })).length > 0)
    for (const entry of entries) {
      const path = `${folder}/${entry.name}`
      if (path === cwd() || path === env.TANDEM_DATA) continue
      if (entry.isDirectory()) yield* below([path])
      else if (entry.isFile()) yield path
    }
  }
}

/** @returns {Generator<Finding>} */
export function* memory() {
  for (const folder of ['/dev/shm', '/dev/mqueue']) {
    const foreign = () => readdirSync(folder).some((name) => lstatSync(`${folder}/${name}`).uid !== getuid?.())
    yield found(folder, reasonOf(foreign), 'UNEXPECTED', 'files of others')
  }
  const heading = 1
  for (const kind of ['shm', 'sem', 'msg']) {
    const path = `/proc/sysvipc/${kind}`
    const isUsed = () => readFileSync(path, 'utf8').trim().split('\n').length > heading
    yield found(path, reasonOf(isUsed), 'UNEXPECTED', 'System V objects of others')
  }
}

/** `null` if one of them gave anything. @param {(() => boolean)[]} attempts */
function reasonOfAll(attempts) {
  const reasons = new Set(attempts.map(reasonOf))
  return reasons.has(null) ? null : [...reasons].join(', ') || 'none known'
}

/** The output of a command that succeeds. @param {string[]} argv */
async function outputOf([file = '', ...args]) {
  const { stdout } = await run(file, args, { timeout: patienceMs }).catch(() => ({ stdout: '' }))
  return stdout.trim()
}

/** @returns {AsyncGenerator<Finding>} */
export async function* others() {
  const visible = readdirSync('/proc').filter((name) => /^\d+$/.test(name))
  const isForeign = (/** @type {string} */ pid) => reasonOf(() => statSync(`/proc/${pid}`).uid !== getuid?.()) === null
  yield found('processes of other users', reasonOf(() => visible.some(isForeign)), 'UNEXPECTED', 'visible')

  const shown = await outputOf(['systemctl', 'show', '--value', '-p', 'MainPID', 'tandem-*'])
  yield found('systemctl show', shown === '' ? 'nothing' : null, 'documented', 'the state of units')
  const isOwn = (/** @type {string} */ pid) => reasonOf(() => statSync(`/proc/${pid}`).uid === getuid?.()) === null
  const pids = shown.split(/\s+/).filter((pid) => Number(pid) > 0 && !isOwn(pid))
  const attempts = {
    ...Object.fromEntries(['environ', 'mem', 'maps'].map((name) => [name, (pid) => reads(`/proc/${pid}/${name}`)])),
    'a signal': (pid) => () => kill(Number(pid), 0),
  }
  for (const [what, attempt] of Object.entries(attempts))
    yield found(`${what}, ${pids.length} processes`, reasonOfAll(pids.map(attempt)), 'UNEXPECTED', 'of others')
  const unit = '/etc/systemd/system/tandem-agent.service'
  yield found(unit, reasonOf(reads(unit)), 'documented', 'units hold no values of the environment')
  yield found('/proc/net/tcp', reasonOf(reads('/proc/net/tcp')), 'documented', 'addresses and ports of connections')
  yield found('/sys/fs/cgroup', reasonOf(lists('/sys/fs/cgroup')), 'documented', 'names of control groups')
  for (const argv of [
    ['journalctl', '-q', '-n', '1'],
    ['systemd-run', '--no-ask-password', '--wait', '--pipe', 'echo', 'started'],
  ])
    yield found(argv.slice(0, 1).join(' '), (await outputOf(argv)) === '' ? 'nothing' : null, 'UNEXPECTED', 'it worked')
}

import type { Jail } from '../../definitions/definition.ts'

/*
 * Programs say in their own words that the jail refused something. These functions find the refusal among the last lines
 * of an instance, and name the key that opens it, or the better way. The fixtures beside the test are the words of real
 * programs.
 */

/** Most hints about one failure: a program that fails repeats itself. */
const mostHints = 3
/** Lines around a refusal that may name its path: some programs need two or three lines to say it. */
const nearby = 3

const readOnly = /read-only file ?system|\berofs\b|errno:? ?-?30\b|errcode: 30\b/i
const denied = /permission denied|\beacces\b|errno:? ?-?13\b|isn't writable|not writable/i
const notPermitted = /operation not permitted|\beperm\b|errno:? ?-?1\b/i
const missing =
  /no such file or directory|\benoent\b|nonexistent|doesn't exist|unable to (?:open|write|create)|can(?:not|'t) (?:open|write|create)|failed to open stream/i
const noFamily = /address family not supported|\beafnosupport\b/i
const rootOnly =
  /not superuser|must be (?:run as )?(?:root|superuser)|reserved for the superuser|(?:setuid|setgid|setgroups|initgroups|chown)\b.*(?:failed|not permitted)/i
const opensPort = /\b(?:bind|binding|listen|listening|connect to)\b/i
/** `port 53`, `:80:`, `[0.0.0.0:80]`, `('127.0.0.1', 80)`; no line of a file (`nginx.conf:80`). */
const ports = [/\bport:? (\d{1,4})\b/i, /(?:[\]*\s]|\.\d{1,3}):(\d{1,4})(?=[\]:\s)]|$)/, /', (\d{1,4})\)/]

interface Hint {
  /** A hint about the same thing is not repeated. */
  about: string
  words: string
  /** Only where there is no better one. */
  isVague?: true
}

/** Sentences for people. `lines`: the last output of a failed instance, oldest first. `jail`: of its definition. */
export function jailHints(lines: readonly string[], jail: Jail = {}): string[] {
  const life = lines.slice(
    Math.max(
      0,
      lines.findLastIndex((line) => line.startsWith('starting release')),
    ),
  )
  const found = new Map<string, Hint>()
  for (const [index, line] of life.entries()) {
    const hint = hintAbout(line, life.slice(Math.max(0, index - nearby), index + nearby + 1), jail)
    if (hint && !found.has(hint.about)) found.set(hint.about, hint)
  }
  const hints = [...found.values()]
  const clear = hints.filter(({ isVague }) => !isVague)
  return (clear.length > 0 ? clear : hints).slice(0, mostHints).map(({ words }) => words)
}

function hintAbout(line: string, around: readonly string[], jail: Jail): Hint | null {
  return (
    familyHint(line, around) ??
    deviceHint(line) ??
    portHint(line, around, jail) ??
    rootHint(line, around) ??
    pathHint(line, around, jail) ??
    (isUnnamed(line) ? unnamed : null)
  )
}

const isUnnamed = (line: string): boolean =>
  (isRefusal(line) || /unable to (?:write|open)/i.test(line)) && pathIn(line) === null

const unnamed: Hint = {
  about: 'something',
  words:
    'it was refused something that it does not name: it may write only ${TANDEM_DATA} and /tmp, and `jail` in docs/definition.md lists the keys that allow more',
  isVague: true,
}

function familyHint(line: string, around: readonly string[]): Hint | null {
  if (!noFamily.test(line)) return null
  const said = around.join(' ').toLowerCase()
  const family = ['AF_NETLINK', 'AF_PACKET'].find((one) => said.includes(one.slice(3).toLowerCase()))
  const words = `it opens a socket of a family that the jail leaves out: write jail: { addressFamilies: [${family ?? 'AF_NETLINK'}] } into tandem.yaml`
  return family
    ? { about: family, words }
    : { about: 'family', words: `${words}, or the family that it needs`, isVague: true }
}

function deviceHint(line: string): Hint | null {
  const device = /\/dev\/(?!shm|null|fd|std)[\w./-]*\w/.exec(line)?.[0]
  if (device === undefined || !(missing.test(line) || isRefusal(line))) return null
  const words = `it may not use ${device}: write jail: { devices: [${device}] } into tandem.yaml, and ${allow}`
  return { about: device, words }
}

const allow = 'allow it on the machine (docs/machines.md)'

/** Ports below 1024 need a capability. */
function portHint(line: string, around: readonly string[], jail: Jail): Hint | null {
  if (!opensPort.test(around.join(' ')) || /unix socket|\.sock\b/i.test(line)) return null
  const port = Number(ports.map((form) => form.exec(line)?.[1]).find((one) => one !== undefined))
  if (!(port > 0 && port < 1024) || jail.capabilities?.includes('CAP_NET_BIND_SERVICE')) return null
  // Gunicorn does not say why.
  if (!/can't connect to \(/i.test(line) && !around.some((one) => denied.test(one))) return null
  const words = `it may not listen on port ${port}: let it listen on \${PORT}, or write jail: { capabilities: [CAP_NET_BIND_SERVICE] } into tandem.yaml`
  return { about: 'port', words }
}

function rootHint(line: string, around: readonly string[]): Hint | null {
  const said = around.join(' ')
  if (/unshare|clone\(|user namespace|no usable sandbox/i.test(line) && notPermitted.test(said))
    return { about: 'namespaces', words: 'it makes namespaces: write jail: { namespaces: true } into tandem.yaml' }
  if (/sock_raw|icmp_sock|raw socket|cap_net_raw/i.test(line) && /not permitted|cap_net_raw/i.test(said)) {
    const words = `it opens a raw socket: write jail: { capabilities: [CAP_NET_RAW] } into tandem.yaml, and ${allow}`
    return { about: 'raw', words }
  }
  // Erlang names no reason.
  if (line.includes('basedir_join_home'))
    return { about: 'HOME', words: 'it needs a home folder: write env: { HOME: "${TANDEM_DATA}" } into tandem.yaml' }
  if (rootOnly.test(line)) {
    const words =
      'it wants to start as root and become another user: an instance has a user of its own already, so turn that off in its configuration'
    return { about: 'root', words }
  }
  const setting = line.startsWith('sysctl:') ? 'a setting of the kernel' : /\/(?:proc\/)?sys\/[\w./-]+/.exec(line)?.[0]
  if (setting === undefined || !isRefusal(line)) return null
  return {
    about: 'kernel',
    words: `it changes ${setting}, which belongs to the machine: set it there, not in the service`,
  }
}

const isRefusal = (line: string): boolean => readOnly.test(line) || denied.test(line) || notPermitted.test(line)

/** Folders of the machine in which a program has a folder of its own, which `jail: scratch` can make. */
const ownFolder = /^\/(?:var\/(?:log|lib|cache|spool|run|opt|tmp)|run|srv|opt|mnt)\/[\w@+.-]+/
/** With two of these, programs that keep their data there lose it with the instance. */
const forData = /^\/(?:var\/lib|srv|mnt)\//

function pathHint(line: string, around: readonly string[], jail: Jail): Hint | null {
  const isWrite = readOnly.test(line)
  const isMissing = missing.test(line)
  if (!isWrite && !denied.test(line) && !isMissing && !/wrong ownership/.test(line)) return null
  const path = pathIn(line) ?? around.map(pathIn).find((one) => one !== null) ?? null
  if (path === null) return isWrite ? relative : null
  if (/^\/(?:home|root|run\/user)(?:\/|$)/.test(path)) {
    const words = `${path} is hidden from it, as all home folders are: put the file into the release, or into \${TANDEM_DATA}`
    return { about: 'home', words }
  }
  if (path.includes('/tandem')) return isWrite ? relative : null
  const folder = ownFolder.exec(path)?.[0]
  if (folder !== undefined) return isMissing && !isWrite && !isMade(around) ? null : folderHint(path, folder, jail)
  if (isWrite) return { about: path, words: `it may not write ${path}: let it write into \${TANDEM_DATA}` }
  if (!denied.test(line) || !/^\/(?:etc|usr)\//.test(path)) return null
  const words = `it may not read ${path}: put its configuration into the release, or let everybody read the file (chmod a+r)`
  return { about: path, words }
}

/** Programs that do not find a folder for their logs, sockets or data say so; a missing file to read is no matter of the jail. */
const isMade = (around: readonly string[]): boolean =>
  /creat|mkdir|writ|\bdir\b|doesn't exist|pid|lock|\.log\b|\.sock|open\(|bind|file_put/i.test(around.join(' '))

const relative: Hint = {
  about: 'release',
  words:
    'it writes into its working folder, the release, which is read-only: let it write into ${TANDEM_DATA} (kept) or /tmp (gone when it ends)',
}

function folderHint(path: string, found: string, jail: Jail): Hint | null {
  const folder = found.replace(/^\/var\/run\//, '/run/')
  if (jail.scratch?.some((one) => isIn(folder, one)) || jail.write?.some((one) => isIn(path, one))) return null
  const isFile = path === found && /\.[a-z]{2,8}$/.test(path)
  const words = `it may not write ${path}: `
  if (isFile)
    return { about: path, words: `${words}name another file in its configuration, in /tmp or \${TANDEM_DATA}` }
  const scratch = `write jail: { scratch: [${folder}] } into tandem.yaml: an empty folder for each instance, gone when it ends`
  if (!forData.test(path)) return { about: folder, words: words + scratch }
  return {
    about: folder,
    words: `${words}let it keep its data in \${TANDEM_DATA}; for a folder without data, ${scratch}`,
  }
}

const isIn = (path: string, folder: string): boolean => path === folder || path.startsWith(`${folder}/`)

/** The path that a line is about: the last one before the refusal, or the first. Source files of a stack are none. */
function pathIn(line: string): string | null {
  const end = /read-only file|permission denied|no such file|nonexistent/i.exec(line)?.index ?? -1
  const found = [...line.matchAll(paths)].flatMap(({ 1: path = '', index }) => {
    const trimmed = path.replace(/[.,:;]+$/, '')
    return notMeant.test(trimmed) ? [] : [{ path: trimmed, isBefore: index < end }]
  })
  return (found.findLast(({ isBefore }) => isBefore) ?? found[0])?.path ?? null
}

const paths = /(?:^|[\s"'`([{=<>,:])(\/(?:var|run|srv|opt|mnt|etc|usr|home|root|data|app)(?:\/[\w@+.~=-]+)*)/g
const notMeant = /\.(?:py|rb|js|mjs|ts|php|java|go|erl|pm|c|so)$|^\/usr\/(?:s?bin|lib|share)\/|\/erl_crash\.dump$/

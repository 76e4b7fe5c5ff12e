import { existsSync, readFileSync } from 'node:fs'
import type { HaproxyState, OwnConfiguration } from '../doctor/machineFacts.ts'
import { shapeIn } from '../drivers/balancer/haproxy/haproxyConfig.ts'
import { MasterSocket } from '../drivers/balancer/haproxy/masterSocket.ts'
import { exec } from '../lib/exec.ts'
import { sealOf } from '../lib/seal.ts'
import { openFilesOf } from './limitsHere.ts'

const askMs = 5_000
const checkMs = 30_000
const shownRefusalLength = 300
const path = '/usr/local/sbin:/usr/local/bin:/usr/sbin:/usr/bin:/sbin:/bin'

/**
 * Runs a check in a separate unit: the privileged helper may run this code and has no network sockets, but HAProxy's
 * check opens some.
 */
const asUnit = ['systemd-run', '--quiet', '--wait', '--pipe', '--collect', `--setenv=PATH=${path}`]

interface Place {
  path: string
  unit: string
}

/** User, group and jail that a check runs with. */
export interface Checker {
  user: string
  group: string
  /** Additional lines of the check's unit. */
  jail: readonly string[]
}

/** State of HAProxy's file, HAProxy's check of the file, and the report of the running HAProxy. */
export async function haproxyState(
  place: Place,
  { master, checker }: { master: string; checker: Checker | null },
): Promise<HaproxyState> {
  // HAProxy runs the script that its configuration names, even for a check: never with more rights than the file's
  // author.
  const own = await checkedConfiguration(place, [...asChecker(checker), 'haproxy', '-c', '-f', place.path])
  const socket = new MasterSocket(master, askMs)
  const text = existsSync(place.path) ? readFileSync(place.path, 'utf8') : ''
  try {
    const { current, failedReloads } = await socket.workers()
    if (current === null) throw new Error('the HAProxy master process has no worker')
    const info = await socket.ask(current, 'show info')
    // Two files for each connection that HAProxy is configured to accept.
    const needed = 2 * Number(/^Maxconn: (\d+)/m.exec(info)?.[1] ?? 0)
    const given = openFilesOf(current)?.most
    const files = given === undefined || needed === 0 ? null : { needed, given }
    return { ...own, silent: null, shapeOnDisk: shapeIn(text), shapeRunning: shapeIn(info), failedReloads, files }
  } catch (error) {
    const silent = error instanceof Error ? error.message : String(error)
    return { ...own, silent, shapeOnDisk: shapeIn(text), shapeRunning: null, failedReloads: 0, files: null }
  }
}

/** State of a file that Tandem wrote, and its check by the command line `check`. */
export async function checkedConfiguration(place: Place, check: string[]): Promise<OwnConfiguration> {
  if (!existsSync(place.path)) return { ...place, file: 'absent', refusal: null }
  const file = sealOf(readFileSync(place.path, 'utf8'))
  const { code, out, err } = await exec(check, { timeoutMs: checkMs, env: { PATH: path, LANG: 'C.UTF-8' } })
  return { ...place, file, refusal: code === 0 ? null : refusalIn(`${out}${err}`) }
}

/**
 * As root, takes the rights of the named user, not of the file's owner: the file could be replaced by a link at any
 * moment.
 */
const asChecker = (checker: Checker | null): string[] =>
  checker === null || process.getuid?.() !== 0
    ? []
    : [
        ...[...asUnit, `--uid=${checker.user}`, `--gid=${checker.group}`],
        ...[...checker.jail, `RuntimeMaxSec=${checkMs / 1000}`].map((line) => `--property=${line}`),
        '--',
      ]

const refusalIn = (output: string): string => {
  const lines = output.trim().split('\n')
  return (lines.find((line) => line.includes('[ALERT]')) ?? lines.at(-1) ?? '').slice(0, shownRefusalLength)
}

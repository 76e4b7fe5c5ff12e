import { createHash } from 'node:crypto'
import { existsSync, readdirSync, readFileSync, rmSync } from 'node:fs'
import { join } from 'node:path'
import { writeFileDurably } from '../../../lib/durableFile.ts'
import { makeFolder } from '../../../lib/makeFolder.ts'
import { OperatorError } from '../../../lib/operatorError.ts'
import type { HaproxyFiles } from './haproxySettings.ts'
import { bodyScript } from './bodyLimit.ts'
import { holdScript } from './holdScript.ts'
import { exec } from '../../../lib/exec.ts'

/** PEM files. */
export interface ForwardingTls {
  ca: string
  cert: string
  key: string
}

/** A check takes well below a second; more routes than any cluster has take a few seconds. */
const checkMs = 20_000
/** Longest path of a socket, minus the characters that HAProxy appends while it creates the socket. */
const longestSocketPath = 80

/** The files that Tandem writes for HAProxy on this machine; only their owner may read them. */
export class HaproxyFolder {
  readonly files: HaproxyFiles
  readonly #program: string
  readonly #sharesGroup: boolean
  readonly #mode: number

  /**
   * `sharesGroup`: HAProxy reads the files through the group that their folder sets, and creates the folder of sockets
   * itself.
   */
  constructor(files: HaproxyFiles, program: string, sharesGroup = false) {
    this.files = files
    this.#sharesGroup = sharesGroup
    this.#program = program
    this.#mode = sharesGroup ? 0o640 : 0o600
  }

  prepare(held: number): void {
    const { run, config, script, bodyScript: bodies, machines, holds, stopped } = this.files
    for (const path of [config, run]) {
      if (/^\/[A-Za-z0-9._/-]+$/.test(path)) continue
      throw new OperatorError('E_USAGE', `HAProxy does not support the path ${path}`, {
        subject: path,
        next: 'choose an absolute path with only letters, digits, dots, hyphens and underscores',
      })
    }
    if (run.length > longestSocketPath) {
      throw new OperatorError('E_USAGE', `the path of the folder for sockets is too long: ${run}`, {
        subject: run,
        next: `choose a path of at most ${longestSocketPath} characters, for example /run/tandem-haproxy`,
      })
    }
    makeFolder(config.slice(0, config.lastIndexOf('/')))
    if (!this.#sharesGroup) makeFolder(run)
    this.#write(script, holdScript(holds, held))
    this.#write(bodies, bodyScript)
    if (!existsSync(machines)) this.#write(machines, machinesText(null))
    for (const map of [holds, stopped]) if (!existsSync(map)) this.#write(map, '')
  }

  /**
   * Takes over the current certificates. Returns their hash, including the certificates of the public folder, which is
   * created if missing.
   */
  takeCertificates(tls: ForwardingTls, folder: string | null): string {
    const [ca, cert, key] = [tls.ca, tls.cert, tls.key].map((path) => readFileSync(path, 'utf8').trimEnd())
    // One file may hold both certificate and key, so that neither is ever without the other.
    const machine = tls.cert === tls.key ? `${cert}\n` : `${cert}\n${key}\n`
    this.#write(this.files.machine, machine)
    this.#write(this.files.authority, `${ca}\n`)
    const hash = createHash('sha256').update(machine).update(`${ca}`)
    if (folder !== null && !this.#sharesGroup) makeFolder(folder)
    for (const name of folder === null ? [] : namesIn(folder))
      hash.update(name).update(contentOf(join(folder ?? '', name)))
    return hash.digest('hex')
  }

  hasCertificates(folder: string): boolean {
    return namesIn(folder).length > 0
  }

  config(): string | null {
    return existsSync(this.files.config) ? readFileSync(this.files.config, 'utf8') : null
  }

  writeConfig(text: string): void {
    this.#write(this.files.config, text)
  }

  writeHolds(holds: Map<string, number>): void {
    this.#write(this.files.holds, [...holds].map(([backend, ms]) => `${backend} ${ms}\n`).join(''))
  }

  stopped(): string[] {
    const lines = readFileSync(this.files.stopped, 'utf8').split('\n')
    return lines.flatMap((line) => line.split(' ', 1).filter(Boolean))
  }

  writeStopped(instances: string[], reason: string): void {
    this.#write(this.files.stopped, instances.map((instance) => `${instance} ${reason}\n`).join(''))
  }

  /** `null`: any machine with a certificate of this cluster. */
  writeMachines(machines: string[] | null): void {
    this.#write(this.files.machines, machinesText(machines))
  }

  /** Checks a configuration with HAProxy: resolves with `null`, or with the alerts. */
  async refusal(text: string): Promise<string | null> {
    const candidate = `${this.files.config}.candidate`
    this.#write(candidate, text)
    try {
      const { code, out, err } = await exec([this.#program, '-c', '-f', candidate], { timeoutMs: checkMs })
      if (code === 0) return null
      const alerts = alertsIn(out + err)
      // HAProxy was killed or could not run at all: that gives no result about the text.
      if (alerts === null) throw new Error(`${this.#program} -c did not check anything (status ${code}): ${err.trim()}`)
      return alerts
    } finally {
      rmSync(candidate, { force: true })
    }
  }

  /** Does not write the same bytes again: the disk changes only if the content changes. */
  #write(path: string, text: string): void {
    if (existsSync(path) && readFileSync(path, 'utf8') === text) return
    writeFileDurably(path, text, this.#mode)
  }
}

/** The process that copies the public certificates creates their folder, and may not have done so yet. */
const namesIn = (folder: string): string[] => (existsSync(folder) ? readdirSync(folder).toSorted() : [])

/** Returns nothing for a file that cannot be read: HAProxy then reports the file, or skips a folder. */
function contentOf(path: string): Buffer {
  try {
    return readFileSync(path)
  } catch {
    return Buffer.alloc(0)
  }
}

export function machinesText(machines: string[] | null): string {
  return machines === null ? '.*\n' : machines.map((machine) => `^${machine}$\n`).join('')
}

/** `null`: there are no alerts. */
function alertsIn(output: string): string | null {
  const alerts = output.split('\n').filter((line) => line.includes('[ALERT]'))
  if (alerts.length === 0) return null
  return alerts
    .slice(0, 3)
    .map((line) => line.replace(/^\[ALERT\]\s+\(\d+\) : /, '').slice(0, 300))
    .join('; ')
}

import { execFileSync } from 'node:child_process'
import { mkdtempSync, readFileSync, rmSync, writeFileSync } from 'node:fs'
import type { RequestListener, ServerResponse } from 'node:http'
import { tmpdir } from 'node:os'
import { join } from 'node:path'
import { afterEach, beforeEach } from 'vitest'
import { systemClock } from '../../../lib/clock.ts'
import { whyMissing } from '../../../lib/testing/aptInstall.ts'
import { BalancerLab, LabMachine, readAll, type LabInstance } from '../balancerLab.ts'
import { childHaproxy } from './childHaproxy.ts'
import { createHaproxyBalancer, type HaproxyBalancer, type HaproxyBalancerOptions } from './haproxyBalancer.ts'
import { MasterSocket } from './masterSocket.ts'

/**
 * The reason why real HAProxy cannot be tested here; `null`: it can. Running as root, installs HAProxy if it is
 * missing.
 */
export function whyNoHaproxy(): string | null {
  const missing = whyMissing('haproxy')
  if (missing !== null) return missing
  const found = haproxyVersion()
  return found >= 2.6 ? null : `haproxy ${found} is older than 2.6`
}

function haproxyVersion(): number {
  const text = execFileSync('haproxy', ['-v'], { stdio: ['ignore', 'pipe', 'ignore'] }).toString()
  return Number(/version (\d+\.\d+)/.exec(text)?.[1])
}

export interface TlsFiles {
  ca: string
  cert: string
  key: string
}

/** Files that an earlier lab of this process had made: `openssl` takes 80 ms for a lab of one machine. */
const made = new Map<string, Buffer[]>()

function onceMade(what: string, files: string[], make: () => void): void {
  const contents = made.get(what)
  if (contents) return files.forEach((file, index) => writeFileSync(file, contents[index] ?? ''))
  make()
  const written = files.map((file) => readFileSync(file))
  made.set(what, written)
}

/** A separate authority, and machine certificates from it, created with the `openssl` program. */
export class LabAuthority {
  readonly folder: string
  readonly #name: string

  constructor(folder: string, name: string) {
    this.folder = folder
    this.#name = name
    const [key, cert] = [this.#path('ca.key'), this.#path('ca.pem')]
    onceMade(name, [key, cert], () =>
      openssl(['req', '-x509', ...newKey, '-keyout', key, '-out', cert, '-days', '2', '-subj', `/CN=${name}`]),
    )
  }

  /** The certificate that a machine has at first, the same one in each lab. */
  firstOf(machine: string): TlsFiles {
    const files = this.#filesOf(machine)
    onceMade(`${this.#name} ${machine}`, [files.cert, files.key], () => this.machine(machine))
    return files
  }

  /** A new certificate. */
  machine(name: string, days = 2): TlsFiles {
    const files = this.#filesOf(name)
    const [request, extension] = [this.#path(`${name}.csr`), this.#path(`${name}.ext`)]
    writeFileSync(extension, `subjectAltName=DNS:${name}\n`)
    openssl(['req', ...newKey, '-keyout', files.key, '-out', request, '-subj', `/CN=${name}`])
    const signed = ['-CA', files.ca, '-CAkey', this.#path('ca.key'), '-CAcreateserial', '-days', `${days}`]
    openssl(['x509', '-req', '-in', request, ...signed, '-extfile', extension, '-out', files.cert])
    return files
  }

  #filesOf(machine: string): TlsFiles {
    return { ca: this.#path('ca.pem'), cert: this.#path(`${machine}.pem`), key: this.#path(`${machine}.key`) }
  }

  #path(name: string): string {
    return join(this.folder, `${this.#name}-${name}`)
  }
}

const newKey = ['-newkey', 'ec', '-pkeyopt', 'ec_paramgen_curve:P-256', '-nodes']

function openssl(argv: string[]): void {
  execFileSync('openssl', argv, { stdio: 'ignore' })
}

export interface HaproxyMachine extends LabMachine {
  readonly balancer: HaproxyBalancer
}

export interface NamedInstance extends LabInstance {
  hanging: ServerResponse[]
}

/** A lab for each test of a file. Where HAProxy cannot run, the tests are skipped with the reason. */
export function eachInALab(made: (lab: BalancerLab, machines: HaproxyLab) => void): void {
  const whyNot = whyNoHaproxy()
  let lab: BalancerLab | null = null
  beforeEach(({ skip }) => {
    skip(whyNot !== null, whyNot ?? '')
    lab = new BalancerLab()
    made(lab, new HaproxyLab(lab))
  })
  afterEach(() => lab?.close())
}

const mostTries = 5

/** Machines with one HAProxy each, in folders that the lab removes when it closes. */
export class HaproxyLab {
  readonly lab: BalancerLab
  readonly folder: string
  readonly authority: LabAuthority

  constructor(lab: BalancerLab) {
    this.lab = lab
    this.folder = mkdtempSync(join(tmpdir(), 'tandem-hx-'))
    lab.onClose(() => rmSync(this.folder, { recursive: true, force: true }))
    this.authority = new LabAuthority(this.folder, 'cluster')
  }

  /** Tries again with other ports if another process took one of them before HAProxy did. */
  async machine(name: string, about: Partial<HaproxyBalancerOptions> = {}): Promise<HaproxyMachine> {
    for (let tries = 1; ; tries++) {
      try {
        return await this.#made(name, about)
      } catch (error) {
        if (tries === mostTries || !String(error).includes('Address already in use')) throw error
      }
    }
  }

  async #made(name: string, about: Partial<HaproxyBalancerOptions>): Promise<HaproxyMachine> {
    const dir = join(this.folder, name)
    const balancer = createHaproxyBalancer({
      dir,
      runDir: join(dir, 'run'),
      host: '127.0.0.1',
      httpPort: 0,
      forward: { host: '127.0.0.1', port: 0 },
      tls: about.tls ?? this.authority.firstOf(name),
      machine: name,
      clock: systemClock,
      process: childHaproxy({ master: join(dir, 'run', 'master.sock') }),
      ...about,
      limits: { connections: 1_000, restMs: 50, ...about.limits },
    })
    await balancer.listen()
    this.lab.onClose(() => balancer.close())
    return new LabMachine(name, balancer) as HaproxyMachine // made with that balancer
  }

  /** Answers with its name and the length of the request body; answers `/hang` on request of the test. */
  async instance(name: string): Promise<NamedInstance> {
    const hanging: ServerResponse[] = []
    const listener: RequestListener = (request, response) => {
      if (request.url === '/hang') return void hanging.push(response)
      void readAll(request).then((body) => response.end(`${name} ${body.length}`))
    }
    return Object.assign(await this.lab.instance(name, listener), { hanging })
  }

  folderOf(machine: string): string {
    return join(this.folder, machine)
  }

  /** Process id of the worker that takes new connections there. */
  async workerOf(machine: string): Promise<number | null> {
    return (await this.masterOf(machine).workers()).current
  }

  masterOf(machine: string): MasterSocket {
    return new MasterSocket(join(this.folderOf(machine), 'run', 'master.sock'), 2_000)
  }
}

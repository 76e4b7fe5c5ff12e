import { mkdirSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { pino } from 'pino'
import { onTestFinished } from 'vitest'
import { hostHere } from '../../src/cli/testing/testHost.ts'
import { runCli } from '../../src/cli/runCli.ts'
import { foundCluster } from '../../src/controller/foundCluster.ts'
import { admittedIn, FounderTokens } from '../../src/controller/founderTokens.ts'
import { signOffline } from '../../src/controller/signOffline.ts'
import { startController } from '../../src/controller/startController.ts'
import type { EntryPoints } from '../../src/cli/entryPoints.ts'
import { joinMachine } from '../../src/installation/joinMachine.ts'
import { DirectoryStore } from '../../src/releases/directoryStore.ts'
import { removeTree } from '../../src/releases/removeTree.ts'
import { PassThrough, Readable } from 'node:stream'
import { freePorts } from '../system/laptop.ts'

const root = join(import.meta.dirname, '../..')
const logger = pino({ level: 'silent' })

interface Said {
  exit: number
  out: string
  err: string
}

/** A user with their own folders, whose command line runs in this process. */
export class UserHere {
  readonly folder: string
  readonly #env: NodeJS.ProcessEnv

  constructor() {
    mkdirSync(join(root, 'tmp'), { recursive: true })
    this.folder = mkdtempSync(join(root, 'tmp/user-'))
    onTestFinished(() => removeTree(this.folder))
    const { folder } = this
    this.#env = { ...process.env, XDG_CONFIG_HOME: join(folder, 'config'), XDG_CACHE_HOME: join(folder, 'cache') }
  }

  async run(argv: string[], env: NodeJS.ProcessEnv = {}, input = ''): Promise<Said> {
    const [stdout, stderr] = [new PassThrough(), new PassThrough()]
    const code = runCli(
      argv,
      hostHere({
        ...{
          stdin: () => Readable.from([Buffer.from(input)]),
          stdout,
          stderr,
          env: { ...this.#env, ...env },
          cwd: this.folder,
        },
        entryPoints: { ...hostHere({ ...none, env: {}, cwd: '' }).entryPoints, ...programs },
      }),
    ).finally(() => {
      stdout.end()
      stderr.end()
    })
    const [exit, out, err] = await Promise.all([code, text(stdout), text(stderr)])
    return { exit, out, err }
  }

  async tandem(...argv: string[]): Promise<Record<string, unknown> & { exit: number }> {
    const { exit, out } = await this.run([...argv, '--json'])
    return { ...(JSON.parse(out.trim().split('\n').at(-1) ?? '{}') as object), exit } // one object on each line
  }

  /** Runs a line as a shell would; the line has no quotes, and begins with assignments. */
  paste(line: string): Promise<Said> {
    if (/['"\\$]/.test(line)) throw new Error(`this line needs a shell: ${line}`)
    const words = line.split(' ')
    const command = words.indexOf('tandem')
    const assigned = words.slice(0, command).map((word) => word.split('=', 2) as [string, string]) // NAME=VALUE
    return this.run(words.slice(command + 1), Object.fromEntries(assigned))
  }
}

const none = { stdin: () => Readable.from([]), stdout: new PassThrough(), stderr: new PassThrough() }
const joins: EntryPoints['joinMachine'] = (options, signal) => joinMachine(options, [], signal)
const programs = { initController: foundCluster, signOffline, joinMachine: joins }

/** A cluster with an authority, whose controller runs in this process, and the user who founded it. */
export async function founded() {
  const founder = new UserHere()
  const port = await freePorts(1)
  const data = join(founder.folder, 'controller')
  const where = ['--cluster', 'shop', '--data', data]
  const init = ['controller', 'init', ...where, '--address', '127.0.0.1', '--port', String(port), '--no-start']
  const made = await founder.tandem(...init)
  const founders = new FounderTokens(data)
  const controller = await startController({
    ...{ config: { cluster: 'shop', laptop: false }, data, host: '127.0.0.1', port, version: '0', logger },
    ...{ storeCapBytes: null, store: await DirectoryStore.open(join(data, 'releases')) },
    examine: async () => ({ machine: '(controller)', checked: [], findings: [] }),
    admit: admittedIn(founders.path).map(({ token, ...identity }) => ({ token, identity })),
  })
  founders.remove()
  onTestFinished(() => controller.close())
  return { founder, made, port, data, url: `https://127.0.0.1:${port}` }
}

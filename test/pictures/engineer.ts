import { spawn, execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Browser } from 'playwright-core'
import { Contexts } from '../../src/cli/contexts.ts'
import type { Pair } from '../lab/pair.ts'
import { launch } from '../long/chromium.ts'
import { CommandLine, type Command } from '../system/commandLine.ts'

const root = join(import.meta.dirname, '../..')

/** The people of the pair, each with a token and a context of that name. */
export const people = ['lena', 'tom'] as const
export type Person = (typeof people)[number]

/** A computer of the people who run the pair, on the lab's network: their checkouts, their contexts, their browser. */
export class Engineer extends CommandLine {
  readonly folder: string
  readonly env: NodeJS.ProcessEnv
  readonly #pair: Pair

  static async invited(pair: Pair): Promise<Engineer> {
    const engineer = new Engineer(pair)
    const { url, authority } = await pair.context()
    const contexts = new Contexts(join(engineer.folder, 'config/tandem'))
    for (const name of people) {
      const args = ['controller', 'token', 'create', '--role', 'operator', '--name', name]
      const { token } = await pair.tandem<{ token: string }>(...args)
      contexts.set(name, { url, token, authority })
    }
    contexts.use(people[0])
    return engineer
  }

  private constructor(pair: Pair) {
    super()
    this.#pair = pair
    this.folder = join(pair.lab.folder, 'engineer')
    const at = (name: string): string => join(this.folder, name)
    this.env = {
      ...{ ...process.env, NO_COLOR: '1', NODE_COMPILE_CACHE: join(root, 'node_modules/.cache/compile') },
      ...{ XDG_CONFIG_HOME: at('config'), XDG_STATE_HOME: at('state'), XDG_CACHE_HOME: at('cache') },
    }
  }

  /** The command on this computer that runs `argv` on the engineer's. */
  entering(argv: string[]): string[] {
    return this.#pair.lab.client.entering(argv)
  }

  protected begin(args: string[], input: 'none' | 'fed'): Command {
    const node = [process.execPath, '--disable-warning=ExperimentalWarning', join(root, 'src/main.ts'), ...args]
    const [file = '', ...argv] = this.entering(node)
    return spawn(file, argv, { env: this.env, stdio: [input === 'fed' ? 'pipe' : 'ignore', 'pipe', 'pipe'] })
  }

  /** Commits these files of a service in its checkout, and rolls the service out. Throws unless that completes. */
  async push(by: Person, service: string, files: Record<string, string>, subject: string): Promise<void> {
    const folder = join(this.folder, service)
    mkdirSync(folder, { recursive: true })
    for (const [name, text] of Object.entries(files)) writeFileSync(join(folder, name), text)
    const git = (...args: string[]): void => void execFileSync('git', ['-C', folder, ...args], { stdio: 'pipe' })
    git('init', '-q')
    git('add', '-A')
    git('-c', `user.name=${by}`, '-c', `user.email=${by}@example.com`, 'commit', '-q', '-m', subject)
    const pushed = await this.json('push', folder, '--context', by)
    if (pushed.exit !== 0) throw new Error(`${service} was not rolled out: ${JSON.stringify(pushed)}`)
  }

  /** Starts to carry the page, until the command is killed. */
  async carryPage(): Promise<Command> {
    const carrier = this.spawn('open', '--no-browser', '--json')
    await new Promise<void>((resolve, reject) => {
      carrier.stdout?.once('data', () => resolve())
      carrier.once('exit', () => reject(new Error('tandem open ended at once')))
    })
    return carrier
  }

  /** A link that signs in once. */
  async link(path = '/'): Promise<string> {
    const { link } = await this.json<{ link: string }>('open', path, '--no-browser')
    return link
  }

  /** A program that starts Chromium on the engineer's computer. */
  browserProgram(): string {
    const path = join(this.folder, 'chromium')
    writeFileSync(path, `#!/bin/sh\nexec ${this.entering(['/usr/bin/chromium']).join(' ')} "$@"\n`)
    chmodSync(path, 0o755)
    return path
  }

  browser(): Promise<Browser> {
    return launch(this.browserProgram())
  }
}

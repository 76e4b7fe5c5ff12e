import { once, type EventEmitter } from 'node:events'
import { cpSync, mkdirSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import type { Readable, Writable } from 'node:stream'

const root = join(import.meta.dirname, '../..')

/** A running command: a process, or a call in this process. */
export interface Command extends EventEmitter {
  stdin: Writable | null
  stdout: Readable | null
  stderr: Readable | null
  kill: (signal: NodeJS.Signals) => boolean
}

export interface Ran {
  code: number
  /** Lines of standard output. */
  out: string[]
  err: string
}

/** The command line of a cluster: as processes, or in this process. */
export abstract class CommandLine {
  /** Folder of the cluster and of everything that a test makes for it. */
  abstract readonly folder: string
  /** Environment of every command. */
  abstract readonly env: NodeJS.ProcessEnv
  /** `fed`: the command has its own standard input, which stays open. */
  protected abstract begin(args: string[], input: 'none' | 'fed'): Command

  /** Runs `tandem ARGS` to its end. */
  async run(...args: string[]): Promise<Ran> {
    const child = this.begin(args, 'none')
    const parts = { out: '', err: '' }
    child.stdout?.on('data', (text) => {
      parts.out += String(text)
    })
    child.stderr?.on('data', (text) => {
      parts.err += String(text)
    })
    const [code] = (await once(child, 'close')) as [number] // the arguments of 'close'
    return { code, out: parts.out.split('\n').filter((line) => line !== ''), err: parts.err }
  }

  /** Runs `tandem ARGS --json` and parses the last line of its output. */
  async json<T = Record<string, unknown>>(...args: string[]): Promise<T & { exit: number }> {
    const { code, out, err } = await this.run(...args, '--json')
    const last = out.at(-1)
    if (last === undefined) throw new Error(`tandem ${args.join(' ')} printed nothing, exit ${code}\n${err}`)
    return { ...(JSON.parse(last) as T), exit: code } // the caller names the documented type
  }

  /** Starts `tandem ARGS` and leaves it running. */
  spawn(...args: string[]): Command {
    return this.begin(args, 'none')
  }

  /** The same, with its own input. */
  spawnFed(...args: string[]): Command {
    return this.begin(args, 'fed')
  }

  /** Creates a folder to push: a file of test/services and a definition. Returns its path. */
  service(name: string, definition: string, program: 'web.mjs' | 'line.mjs' = 'web.mjs'): string {
    const folder = join(this.folder, 'services', name)
    mkdirSync(join(folder, 'node_modules'), { recursive: true })
    cpSync(join(root, 'test/services', program), join(folder, program))
    cpSync(join(root, 'node_modules/ws'), join(folder, 'node_modules/ws'), { recursive: true })
    writeFileSync(join(folder, 'tandem.yaml'), definition)
    return folder
  }
}

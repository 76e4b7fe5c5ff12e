import type { ApiClient } from '../api/client.ts'
import type { Status } from '../api/views.ts'
import { connectTo, trusted } from './connect.ts'
import { chooseContext, Contexts, type Chosen } from './contexts.ts'
import { foldersOf, type Folders } from './folders.ts'
import type { CliHost } from './host.ts'
import type { CommandTable } from './help/commandTree.ts'
import type { Interrupts } from './interrupts.ts'
import { Output } from './output.ts'

/** Flags that every command takes. A type, since stricli wants an index signature that interfaces lack. */
export type CommonFlags = {
  json: boolean
  context?: string
}

/** One run of one command. */
export class Session {
  readonly host: CliHost
  readonly out: Output
  readonly folders: Folders
  readonly contexts: Contexts
  readonly interrupts: Interrupts
  readonly commands: CommandTable
  readonly #asked: string | undefined
  #client: Promise<ApiClient> | undefined

  constructor(host: CliHost, flags: CommonFlags, interrupts: Interrupts, commands: CommandTable) {
    this.host = host
    this.out = new Output(host, flags.json)
    this.folders = foldersOf(host.env)
    this.contexts = new Contexts(this.folders.config)
    this.interrupts = interrupts
    this.commands = commands
    this.#asked = flags.context
  }

  /** Aborts at Ctrl-C. */
  get signal(): AbortSignal {
    return this.interrupts.signal
  }

  /** Which cluster this run is for. `E_NO_CONTEXT` when none was named. */
  chosen(): Chosen {
    return chooseContext(this.contexts, this.host.env, this.#asked)
  }

  client(): Promise<ApiClient> {
    this.#client ??= this.#connect()
    return this.#client
  }

  /** For commands that change something: names the cluster on stderr before they do. Also the proof that it answers. */
  async announce(what: string): Promise<{ client: ApiClient; status: Status }> {
    const { context, url } = this.chosen()
    const client = await this.client()
    const status = await client.call('status', {}, this.signal)
    const where = context === null ? ` (${url})` : context === status.cluster ? '' : ` (context ${context})`
    this.out.note(`${this.out.paintNote('bold', status.cluster)}${where}: ${what}`)
    return { client, status }
  }

  async #connect(): Promise<ApiClient> {
    return connectTo(await trusted(this.chosen()))
  }
}

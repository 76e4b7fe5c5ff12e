import type { ApiClient } from '../api/client.ts'
import type { Status } from '../api/views.ts'
import { connectTo, trusted } from './connect.ts'
import { chooseContext, Contexts, type Chosen } from './contexts.ts'
import { foldersOf, type Folders } from './folders.ts'
import type { CliHost } from './host.ts'
import type { CommandTable } from './help/commandTree.ts'
import type { Interrupts } from './interrupts.ts'
import { Output } from './output.ts'

/** Flags that every command takes. A type, because stricli needs an index signature and interfaces have none. */
export type CommonFlags = {
  json: boolean
  context?: string
  /** Only of commands that change the cluster. */
  dryRun?: boolean
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
  readonly #dryRun: boolean
  #client: Promise<ApiClient> | undefined

  constructor(host: CliHost, flags: CommonFlags, interrupts: Interrupts, commands: CommandTable) {
    this.host = host
    this.out = new Output(host, flags.json)
    this.folders = foldersOf(host.env)
    this.contexts = new Contexts(this.folders.config)
    this.interrupts = interrupts
    this.commands = commands
    this.#asked = flags.context
    this.#dryRun = flags.dryRun === true
  }

  /** Aborts at Ctrl-C. */
  get signal(): AbortSignal {
    return this.interrupts.signal
  }

  /** The cluster that this command uses. Throws `E_NO_CONTEXT` if none was specified. */
  chosen(): Chosen {
    return chooseContext(this.contexts, this.host.env, this.#asked)
  }

  client(): Promise<ApiClient> {
    this.#client ??= this.#connect()
    return this.#client
  }

  /** Names the cluster on stderr before a command changes anything. Also proves that the controller answers. */
  async announce(what: string): Promise<{ client: ApiClient; status: Status }> {
    const { context, url } = this.chosen()
    const client = await this.client()
    const status = await client.call('status', {}, this.signal)
    const where = context === null ? ` (${url})` : context === status.cluster ? '' : ` (context ${context})`
    const dry = this.#dryRun ? ' (dry run: nothing changes)' : ''
    this.out.note(`${this.out.paintNote('bold', status.cluster)}${where}: ${what}${dry}`)
    return { client, status }
  }

  async #connect(): Promise<ApiClient> {
    return connectTo(await trusted(this.chosen()), this.#dryRun)
  }
}

import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The folder of the sample service: a copy of an example that users can push, changed for each release. */
export class Sample {
  readonly folder: string

  constructor(example: string, folder: string) {
    cpSync(example, folder, { recursive: true })
    this.folder = folder
  }

  second(): void {
    writeFileSync(join(this.folder, 'message.txt'), 'Hello from the second release\n')
  }

  /** A release that prints an error and exits before it is ready. */
  broken(): void {
    const program = "console.error('the demo broke this release on purpose: no database')\nprocess.exit(1)\n"
    writeFileSync(join(this.folder, 'server.js'), program)
  }
}

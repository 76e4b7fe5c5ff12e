import { cpSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'

/** The sample service's folder, made from the example that people can push themselves; changed from release to release. */
export class Sample {
  readonly folder: string

  constructor(example: string, folder: string) {
    cpSync(example, folder, { recursive: true })
    this.folder = folder
  }

  second(): void {
    writeFileSync(join(this.folder, 'message.txt'), 'Hello from the second release\n')
  }

  /** Ends before it is ready, with something to read. */
  broken(): void {
    const program = "console.error('the demo broke this release on purpose: no database')\nprocess.exit(1)\n"
    writeFileSync(join(this.folder, 'server.js'), program)
  }
}

import { existsSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { bundle } from '../../packaging/bundle.ts'
import type { Bind } from './labMachine.ts'

const checkout = join(import.meta.dirname, '../..')

/**
 * Builds the program `tandem` of a machine: the Node that npm installed and, in `app`, a bundle of this checkout, both
 * read-only.
 */
export async function installProgram(app: string): Promise<Bind[]> {
  await bundle(app)
  return [
    { from: nodeBinary(), to: '/usr/lib/tandem/node' },
    { from: app, to: '/usr/lib/tandem/app' },
  ]
}

/**
 * This checkout, for tests that run on the machine. It has another path there, because a machine has its own /tmp and
 * /home.
 */
export const checkoutBind: Bind = { from: realpathSync(checkout), to: '/opt/tandem-checkout' }

/** The Node that services need on machines with the Tandem package, in the folder of the machine's own programs. */
export const serviceNode = (): Bind => ({ from: nodeBinary(), to: '/usr/local/bin/node' })

/** The Node that npm installed, if there is one. */
export function nodeBinary(): string {
  const file = join(checkout, 'node_modules', `node-linux-${process.arch}`, 'bin/node')
  return realpathSync(existsSync(file) ? file : process.execPath)
}

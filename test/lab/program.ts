import { existsSync, realpathSync } from 'node:fs'
import { join } from 'node:path'
import { bundle } from '../../packaging/bundle.ts'
import type { Bind } from './labMachine.ts'

const checkout = join(import.meta.dirname, '../..')

/** Makes what `tandem` on a machine is: the Node that npm installed and, in `app`, a bundle of this checkout, both read-only. */
export async function installProgram(app: string): Promise<Bind[]> {
  await bundle(app)
  return [
    { from: nodeBinary(), to: '/usr/lib/tandem/node' },
    { from: app, to: '/usr/lib/tandem/app' },
  ]
}

/** For tests that run on the machine: this checkout. Not where it is here: a machine has a /tmp and a /home of its own. */
export const checkoutBind: Bind = { from: realpathSync(checkout), to: '/opt/tandem-checkout' }

/** For machines on which Tandem is a package: the Node that their services need, where programs of the machine's own are. */
export const serviceNode = (): Bind => ({ from: nodeBinary(), to: '/usr/local/bin/node' })

/** The Node that npm installed, where there is one. */
export function nodeBinary(): string {
  const file = join(checkout, 'node_modules', `node-linux-${process.arch}`, 'bin/node')
  return realpathSync(existsSync(file) ? file : process.execPath)
}

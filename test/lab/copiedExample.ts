import { readdirSync, readFileSync } from 'node:fs'
import { join } from 'node:path'
import type { LabMachine } from './labMachine.ts'

export const examples = join(import.meta.dirname, '../../examples')

/** One replacement in a file of an example. */
export interface Edit {
  file: string
  from: string
  to: string
}

/** Where an example is on the machine that pushes it. */
export const exampleFolder = (example: string): string => `/srv/examples/${example}`

/** Writes the files of an example to its folder on the machine. */
export function copyExample(machine: LabMachine, example: string, edit?: Edit): void {
  const from = join(examples, example)
  for (const entry of readdirSync(from, { recursive: true, withFileTypes: true })) {
    const path = join(entry.parentPath, entry.name)
    const name = path.slice(from.length + 1)
    if (!entry.isFile() || name.startsWith('node_modules/')) continue
    // The machine cannot reach npm's registry; the test copies the modules.
    const text = readFileSync(path, 'utf8').replace(/ {2}command: npm .*/, '  command: test -d node_modules')
    machine.write(`${exampleFolder(example)}/${name}`, edit?.file === name ? text.replace(edit.from, edit.to) : text)
  }
}

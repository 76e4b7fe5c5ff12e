import { readFileSync } from 'node:fs'
import { exec } from '../../lib/exec.ts'

export interface UsersHere {
  idOf: (name: string) => number | null
  /** The number itself, if it has no name. */
  nameOf: (id: number) => string
}

/** The users of this machine's files, and those of `names` that another source knows. */
export async function usersHere(names: readonly string[]): Promise<UsersHere> {
  const lines = readFileSync('/etc/passwd', 'utf8').split('\n')
  const ids = new Map<string, number>()
  const add = (line: string): void => {
    const [name = '', , id] = line.split(':')
    if (id !== undefined && !ids.has(name)) ids.set(name, Number(id))
  }
  lines.forEach(add)
  for (const name of new Set(names)) {
    if (!ids.has(name)) add((await exec(['getent', 'passwd', name])).out.trim())
  }
  const byId = new Map([...ids].map(([name, id]) => [id, name]))
  return { idOf: (name) => ids.get(name) ?? null, nameOf: (id) => byId.get(id) ?? `${id}` }
}

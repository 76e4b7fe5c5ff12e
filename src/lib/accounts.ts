import { exec, execOrThrow } from './exec.ts'

/** Returns the number of a user (`-u`) or of the user's group (`-g`). Throws if there is no such user. */
export const idOf = async (which: '-u' | '-g', user: string): Promise<number> =>
  Number(await execOrThrow(['id', which, user]))

export const userExists = async (user: string): Promise<boolean> => (await exec(['id', '-u', user])).code === 0

export const groupExists = async (group: string): Promise<boolean> =>
  (await exec(['getent', 'group', group])).code === 0

/** The name of a user or group with this number; `null`: there is none. */
export const nameOf = async (kind: 'passwd' | 'group', id: number): Promise<string | null> =>
  (await exec(['getent', kind, `${id}`])).out.split(':')[0] || null

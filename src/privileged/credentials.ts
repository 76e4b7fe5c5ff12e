import { exec } from '../lib/exec.ts'

/** systemd cannot open it: it was sealed with another key of the machine, or under another name, or it is damaged. */
export class Unopened extends Error {}

/**
 * Seals with the key of this machine (systemd-creds(1)), as text. `name` is authenticated: systemd loads the result only
 * as a credential of this name.
 */
export async function sealed(name: string, content: string | Uint8Array): Promise<string> {
  const argv = ['systemd-creds', `--name=${name}`, '--with-key=host', 'encrypt', '-', '-']
  const { code, out, err } = await exec(argv, { input: content })
  if (code === 0) return out
  throw new Error(`systemd-creds could not seal ${name} (exit ${code}): ${err.trim()}`)
}

/** Throws `Unopened` if systemd refuses it. No error shows its output, which may hold a value. */
export async function opened(name: string, path: string): Promise<string> {
  const { code, out, err } = await exec(['systemd-creds', `--name=${name}`, 'decrypt', path, '-'])
  if (code === 0) return out
  throw new Unopened(`systemd-creds could not open ${path} (exit ${code}): ${err.trim()}`)
}

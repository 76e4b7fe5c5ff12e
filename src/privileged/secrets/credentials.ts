import { execOrThrow } from '../../lib/exec.ts'

/**
 * Seals with the key of this machine (systemd-creds(1)), as text. `name` is authenticated: systemd loads the result only
 * as a credential of this name.
 */
export const sealed = (name: string, content: string | Uint8Array): Promise<string> =>
  execOrThrow(['systemd-creds', `--name=${name}`, '--with-key=host', 'encrypt', '-', '-'], { input: content })

export const opened = (name: string, path: string): Promise<string> =>
  execOrThrow(['systemd-creds', `--name=${name}`, 'decrypt', path, '-'])

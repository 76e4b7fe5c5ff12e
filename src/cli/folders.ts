import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

export interface Folders {
  /** Contexts. */
  config: string
  /** Hashes of unchanged files. */
  cache: string
  /** A laptop's cluster. */
  state: string
}

/** Our folders by the XDG Base Directory Specification; relative values are ignored, as it says. */
export function foldersOf(env: NodeJS.ProcessEnv): Folders {
  const home = env['HOME'] || homedir()
  const folder = (name: string, fallback: string): string => {
    const set = env[name]
    return join(set && isAbsolute(set) ? set : join(home, fallback), 'tandem')
  }
  return {
    config: folder('XDG_CONFIG_HOME', '.config'),
    cache: folder('XDG_CACHE_HOME', '.cache'),
    state: folder('XDG_STATE_HOME', '.local/state'),
  }
}

import { homedir } from 'node:os'
import { isAbsolute, join } from 'node:path'

export interface Folders {
  /** Holds the contexts. */
  config: string
  /** Holds the hashes of unchanged files. */
  cache: string
  /** Holds the cluster that `tandem up` runs. */
  state: string
}

/** Tandem's folders by the XDG Base Directory Specification, which requires that relative values are ignored. */
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

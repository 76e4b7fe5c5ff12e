import { spawn } from 'node:child_process'
import { mkdirSync, renameSync, rmSync, writeFileSync } from 'node:fs'
import { join } from 'node:path'
import { pathToFileURL } from 'node:url'

/**
 * The program that shows a file in the user's browser; `null`: there is none, as in a session of ssh. `BROWSER` names
 * another one.
 */
export function browserProgram(env: NodeJS.ProcessEnv, platform: NodeJS.Platform): string | null {
  if (env['BROWSER']) return env['BROWSER']
  if (platform === 'darwin') return 'open'
  return env['DISPLAY'] || env['WAYLAND_DISPLAY'] ? 'xdg-open' : null
}

/**
 * A file that leads a browser to the link. Other users can read the arguments of a process, so the link is in this file,
 * which only its owner can read. The link in it is useless after a minute.
 */
export class Redirection {
  readonly #file: string

  constructor(folder: string) {
    this.#file = join(folder, 'open', 'page.html')
  }

  write(link: string): string {
    mkdirSync(join(this.#file, '..'), { recursive: true, mode: 0o700 })
    const page = `<!doctype html><meta charset="utf-8"><meta name="referrer" content="no-referrer"><title>tandem</title><meta http-equiv="refresh" content="0;url=${escaped(link)}">\n`
    rmSync(`${this.#file}.new`, { force: true })
    writeFileSync(`${this.#file}.new`, page, { mode: 0o600, flag: 'wx' })
    renameSync(`${this.#file}.new`, this.#file)
    return pathToFileURL(this.#file).href
  }

  remove(): void {
    rmSync(this.#file, { force: true })
  }
}

const entities: Record<string, string> = { '&': '&amp;', '<': '&lt;', '>': '&gt;', '"': '&quot;' }
const escaped = (text: string): string => text.replaceAll(/[&<>"]/g, (sign) => entities[sign] ?? '')

/** Starts the browser beside this process. Resolves with `false` if the program is missing or fails at once. */
export async function showFile(program: string, file: string, env: NodeJS.ProcessEnv): Promise<boolean> {
  const child = spawn(program, [file], { env, stdio: 'ignore', detached: true })
  const { promise, resolve } = Promise.withResolvers<boolean>()
  child.once('error', () => resolve(false))
  // Some of these programs end when the browser has the file; others are the browser.
  child.once('exit', (code) => resolve(code === 0))
  const stillRuns = setTimeout(() => resolve(true), 3_000)
  const shown = await promise
  clearTimeout(stillRuns)
  child.unref()
  return shown
}

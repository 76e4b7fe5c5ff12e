import { spawn, type ChildProcess } from 'node:child_process'
import { once } from 'node:events'
import { mkdirSync, mkdtempSync } from 'node:fs'
import { join } from 'node:path'
import { text } from 'node:stream/consumers'
import { removeTree } from '../../src/releases/removeTree.ts'

const root = join(import.meta.dirname, '../..')

/** A user with their own folders, who runs `tandem`. */
export function newUser() {
  mkdirSync(join(root, 'tmp'), { recursive: true })
  const folder = mkdtempSync(join(root, 'tmp/joining-'))
  const running: ChildProcess[] = []
  /** Ends the parts that this user runs, the newest first, and removes the folder. */
  const remove = async (): Promise<void> => {
    for (const child of running.reverse()) {
      const gone = child.exitCode === null ? once(child, 'exit') : null
      child.kill('SIGTERM')
      await gone
    }
    await removeTree(folder)
  }
  const env = {
    ...process.env,
    ...{ XDG_CONFIG_HOME: join(folder, 'config'), XDG_CACHE_HOME: join(folder, 'cache') },
    XDG_STATE_HOME: join(folder, 'state'),
  }
  /** Runs a line as if pasted into a shell. */
  const paste = async (line: string): Promise<{ exit: number; out: string; err: string }> => {
    const shell = spawn('sh', ['-c', line], { env: { ...env, PATH: `${root}:${process.env['PATH']}` }, cwd: folder })
    const [out, err, [exit]] = await Promise.all([text(shell.stdout), text(shell.stderr), once(shell, 'close')])
    return { exit: Number(exit), out, err }
  }
  const begin = (...args: string[]): ChildProcess =>
    spawn(process.execPath, ['--disable-warning=ExperimentalWarning', join(root, 'src/main.ts'), ...args], {
      ...{ env, cwd: folder, stdio: ['ignore', 'pipe', 'ignore'] },
    })
  const tandem = async (...args: string[]): Promise<Record<string, unknown> & { exit: number }> => {
    const child = begin(...args, '--json')
    let out = ''
    child.stdout?.on('data', (chunk) => {
      out += String(chunk)
    })
    const [exit] = (await once(child, 'close')) as [number] // the arguments of 'close'
    return { ...(JSON.parse(out.trim().split('\n').at(-1) ?? '{}') as object), exit } // one object on each line
  }
  /** Starts a part in the foreground; resolves once it has printed `wanted`, with everything up to then. */
  const printed = async (wanted: string, ...args: string[]): Promise<{ child: ChildProcess; out: string }> => {
    const child = begin(...args)
    running.push(child)
    let out = ''
    for await (const chunk of child.stdout ?? []) {
      out += String(chunk)
      if (out.includes(wanted)) break
    }
    return { child, out }
  }
  const part = async (message: string, ...args: string[]): Promise<ChildProcess> =>
    (await printed(message, ...args)).child
  return { folder, tandem, paste, part, printed, remove }
}

import { accessSync, closeSync, constants, openSync, readSync, statSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { OperatorError } from '../../../lib/operatorError.ts'
import { repeatedArgv } from '../repeatedArgv.ts'
import type { InstanceSpec } from '../supervisor.ts'

const defaultPath = '/usr/local/bin:/usr/bin:/bin'
const headBytes = 512
/** The header of a 32-bit program with its first table entry. */
const leastElfBytes = 52 + 32
/** ELF's e_machine (System V ABI, chapter 4) of the platforms that Node supports. */
const elfMachines: Record<number, string> = { 3: 'ia32', 40: 'arm', 62: 'x64', 183: 'arm64', 243: 'riscv64' }

/**
 * Resolves the file that argv[0] names: with a slash relative to `cwd`, without a slash through the PATH of the
 * instance. Throws an OperatorError with the fix if the file clearly cannot be executed.
 */
export function resolveExecutable(argv: string[], env: Record<string, string>, cwd: string): string {
  const name = argv[0]
  if (name === undefined || name === '') throw problem('the command is empty', cwd, 'name a program in `run`')
  checkFolder(cwd)
  const file = name.includes('/') ? resolve(cwd, name) : findOnPath(name, env['PATH'] ?? defaultPath, cwd)
  checkFile(file, name)
  checkContent(file)
  return file
}

/** The file that a spec runs, and the spec with its whole command. Throws as `resolveExecutable`. */
export function programOf(spec: InstanceSpec): { spec: InstanceSpec; executable: string } {
  const executable = resolveExecutable(spec.argv, spec.env, spec.cwd)
  if (!spec.isRepeated) return { spec, executable }
  const argv = repeatedArgv([executable, ...spec.argv.slice(1)])
  return { spec: { ...spec, argv }, executable: argv[0] ?? '' }
}

export function problem(what: string, subject: string, next: string, cause?: unknown): OperatorError {
  return new OperatorError('E_EXEC', what, { subject, next, cause })
}

function checkFolder(cwd: string): void {
  const stat = statSync(cwd, { throwIfNoEntry: false })
  if (stat === undefined) throw problem('the working directory does not exist', cwd, 'fetch the release again')
  if (!stat.isDirectory()) throw problem('the working directory is not a folder', cwd, 'name a folder')
}

function findOnPath(name: string, path: string, cwd: string): string {
  for (const folder of path.split(':')) {
    const file = join(resolve(cwd, folder), name)
    if (isFile(file) && isExecutable(file)) return file
  }
  const here = statSync(join(cwd, name), { throwIfNoEntry: false }) !== undefined
  const next = here
    ? `the working directory has a file with that name: write ./${name}`
    : 'install it on this machine, or put it into the release and name it with a path such as ./bin/…'
  throw problem(`no program "${name}" in PATH`, name, `${next}; PATH is ${path}`)
}

/** Like execvp(3), skips an entry of PATH that cannot be searched or is not a folder. */
function isFile(path: string): boolean {
  try {
    return statSync(path).isFile()
  } catch {
    return false
  }
}

function checkFile(file: string, name: string): void {
  const stat = statSync(file, { throwIfNoEntry: false })
  if (stat === undefined) {
    throw problem('the program does not exist', file, `check \`run\` ("${name}") and the files that the build creates`)
  }
  if (stat.isDirectory()) throw problem('the program is a folder', file, 'name the program file inside the folder')
  if (!stat.isFile()) throw problem('the program is not a regular file', file, 'name the program file')
  if (!isExecutable(file)) throw problem('the program is not executable', file, `chmod +x ${name}, then push again`)
}

function isExecutable(file: string): boolean {
  try {
    accessSync(file, constants.X_OK)
    return true
  } catch {
    return false
  }
}

/** Finds mistakes that the kernel would report only as "exec format error" or as a misleading "not found". */
function checkContent(file: string): void {
  const head = readHead(file)
  if (head === null) return
  if (head.subarray(0, 2).toString('latin1') === '#!') checkInterpreter(file, head)
  else if (head.subarray(0, 4).toString('latin1') === '\x7fELF') checkMachine(file, head)
  else if (process.platform === 'linux' && isMachO(head)) {
    throw problem('the program was built for macOS', file, 'build it for Linux (for Go: GOOS=linux)')
  } else if (!head.includes(0)) {
    const what = 'the program is a script without a first line that names its interpreter'
    throw problem(what, file, 'start the script with a line such as #!/bin/sh or #!/usr/bin/env python3')
  }
}

function checkInterpreter(file: string, head: Buffer): void {
  const line = (head.toString('utf8').split('\n')[0] ?? '').slice(2)
  const interpreter = line.trim().split(/[ \t]/)[0] ?? ''
  if (line.endsWith('\r')) {
    throw problem(
      'the first line of the script ends in a carriage return',
      file,
      'save the file with Unix line ends (LF)',
    )
  }
  if (interpreter.startsWith('/') && statSync(interpreter, { throwIfNoEntry: false }) === undefined) {
    throw problem(
      `the interpreter ${interpreter} does not exist`,
      file,
      'install the interpreter, or name another in the first line of the script',
    )
  }
}

function checkMachine(file: string, head: Buffer): void {
  if (head.length < leastElfBytes) throw problem('the program file is cut off', file, 'build it again')
  const built = elfMachines[head.readUInt16LE(18)]
  if (process.platform !== 'linux') throw problem('the program was built for Linux', file, 'build it for this system')
  if (built === undefined || built === process.arch || hasEmulation()) return
  // A 64-bit machine runs 32-bit programs of its own family.
  if ((built === 'ia32' && process.arch === 'x64') || (built === 'arm' && process.arch === 'arm64')) return
  throw problem(
    `the program was built for ${built}, but this machine is ${process.arch}`,
    file,
    `build for ${process.arch}`,
  )
}

/** If an emulator such as qemu is registered for foreign programs, only the kernel knows which programs it can run. */
function hasEmulation(): boolean {
  return statSync('/proc/sys/fs/binfmt_misc/status', { throwIfNoEntry: false }) !== undefined
}

function isMachO(head: Buffer): boolean {
  return head.length >= 4 && [0xfeedfacf, 0xcffaedfe, 0xcafebabe].includes(head.readUInt32BE(0)) && head[4] !== 0x00
}

/** Returns `null` for a file that the agent may execute but not read. */
function readHead(file: string): Buffer | null {
  let fd: number
  try {
    fd = openSync(file, constants.O_RDONLY | constants.O_NONBLOCK) // a FIFO would wait for its writer
  } catch {
    return null
  }
  try {
    const head = Buffer.alloc(headBytes)
    return head.subarray(0, readSync(fd, head, 0, headBytes, 0))
  } finally {
    closeSync(fd)
  }
}

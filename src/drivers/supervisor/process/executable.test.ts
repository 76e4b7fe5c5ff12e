import { execFileSync } from 'node:child_process'
import { chmodSync, mkdirSync, mkdtempSync, rmSync, symlinkSync, writeFileSync } from 'node:fs'
import { join, resolve } from 'node:path'
import { afterAll, beforeAll, describe, expect, it } from 'vitest'
import { OperatorError } from '../../../lib/operatorError.ts'
import { resolveExecutable } from './executable.ts'

let dir = ''
beforeAll(() => {
  mkdirSync(resolve('tmp'), { recursive: true })
  dir = mkdtempSync(resolve('tmp/executable-'))
  mkdirSync(join(dir, 'bin'))
})
afterAll(() => rmSync(dir, { recursive: true }))

function put(name: string, content: string | Buffer, mode = 0o755): void {
  writeFileSync(join(dir, name), content)
  chmodSync(join(dir, name), mode)
}

function refusal(argv: string[], env: Record<string, string> = {}, cwd = dir): OperatorError {
  try {
    resolveExecutable(argv, env, cwd)
  } catch (error) {
    if (error instanceof OperatorError) return error
    throw error
  }
  throw new Error(`${argv.join(' ')} was not refused`)
}

const elf = (machine: number): Buffer => {
  const bytes = Buffer.alloc(256)
  bytes.write('\x7fELF', 'latin1')
  bytes.writeUInt16LE(machine, 18)
  return bytes
}

describe('resolveExecutable', () => {
  it('resolves a path relative to the working directory, and a bare name through PATH', () => {
    put('bin/server', '#!/bin/sh\n')
    expect(resolveExecutable(['./bin/server'], {}, dir)).toBe(join(dir, 'bin/server'))
    expect(resolveExecutable(['bin/server'], {}, dir)).toBe(join(dir, 'bin/server'))
    expect(resolveExecutable(['server'], { PATH: `/nowhere:${join(dir, 'bin')}` }, dir)).toBe(join(dir, 'bin/server'))
    expect(resolveExecutable(['server'], { PATH: 'bin' }, dir)).toBe(join(dir, 'bin/server'))
    expect(resolveExecutable(['sh'], {}, dir)).toMatch(/\/bin\/sh$/)
  })

  it('skips folders of PATH that cannot be searched', () => {
    put('bin/server', '#!/bin/sh\n')
    symlinkSync('loop', join(dir, 'loop'))
    mkdirSync(join(dir, 'closed'))
    chmodSync(join(dir, 'closed'), 0o000)
    const path = `${join(dir, 'loop')}:${join(dir, 'closed')}:${'x'.repeat(5_000)}:${join(dir, 'bin')}`
    expect(resolveExecutable(['server'], { PATH: path }, dir)).toBe(join(dir, 'bin/server'))
    chmodSync(join(dir, 'closed'), 0o755)
  })

  it('skips files on PATH that are not executable', () => {
    put('bin/plain', '#!/bin/sh\n', 0o644)
    expect(refusal(['plain'], { PATH: join(dir, 'bin') }).message).toContain('no program "plain" in PATH')
  })

  const cases: [string, () => OperatorError, RegExp][] = [
    ['an empty argv', () => refusal([]), /command is empty/],
    ['no such file', () => refusal(['./nope']), /does not exist/],
    [
      'a file beside it that is named without ./',
      () => (put('srv', '#!/bin/sh\n'), refusal(['srv'], { PATH: '/bin' })),
      /PATH/,
    ],
    ['a folder', () => refusal(['./bin']), /is a folder/],
    [
      'a pipe',
      () => (execFileSync('sh', ['-c', 'mkfifo "$0"', join(dir, 'pipe')]), refusal(['./pipe'])),
      /not a regular file/,
    ],
    ['no permission', () => (put('plain', '#!/bin/sh\n', 0o644), refusal(['./plain'])), /not executable/],
    ['no first line', () => (put('bare', 'echo hi\n'), refusal(['./bare'])), /names its interpreter/],
    ['an empty file', () => (put('empty', ''), refusal(['./empty'])), /names its interpreter/],
    ['Windows line ends', () => (put('crlf', '#!/bin/sh\r\necho\r\n'), refusal(['./crlf'])), /carriage return/],
    [
      'no such interpreter',
      () => (put('lost', '#!/opt/x/python -u\n'), refusal(['./lost'])),
      /\/opt\/x\/python does not exist/,
    ],
    ['a cut-off program', () => (put('cut', elf(62).subarray(0, 30)), refusal(['./cut'])), /cut off/],
    ['no such working directory', () => refusal(['sh'], {}, '/nowhere/at/all'), /working directory does not exist/],
  ]
  it.each(cases)('rejects %s and names the fix', (_, refused, message) => {
    const error = refused()
    expect(error.message).toMatch(message)
    expect(error).toMatchObject({ code: 'E_EXEC', subject: expect.anything(), next: expect.anything() })
  })

  it.skipIf(process.platform !== 'linux')('rejects a program built for another system', () => {
    put('mac', Buffer.from('cffaedfe0c000001', 'hex'))
    expect(refusal(['./mac']).message).toContain('built for macOS')
  })

  it('suggests ./ for a name that the working directory has', () => {
    put('here', '#!/bin/sh\n')
    expect(refusal(['here'], { PATH: '/bin' }).next).toContain('write ./here')
  })
})

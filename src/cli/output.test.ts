import { Writable } from 'node:stream'
import { expect, it } from 'vitest'
import { Output } from './output.ts'
import { visible } from './visible.ts'

class Stream extends Writable {
  text = ''
  isTTY: boolean

  constructor(isTTY: boolean) {
    super()
    this.isTTY = isTTY
  }

  override _write(chunk: Buffer, _encoding: string, done: () => void): void {
    this.text += String(chunk)
    done()
  }
}

function open(isTTY: boolean, json = false) {
  const [stdout, stderr] = [new Stream(isTTY), new Stream(isTTY)]
  return { out: new Output({ stdout, stderr, env: { TERM: 'xterm' } }, json), stdout, stderr }
}

/** Clears the screen, renames the window, writes the clipboard, requests an answer; then the same with C1 controls. */
const hostile =
  '\u001b[2J\u001b]0;owned\u0007\u001b]52;c;ZXZpbA==\u0007\u001b[6n\u009b31m\u0008\u202etxt.exe\r50 %\ufdd0\u061c\u{e0041}'
const shown = '^[[2J^[]0;owned^G^[]52;c;ZXZpbA==^G^[[6n\\u009b31m^H\\u202etxt.exe^M50 %\ufdd0\\u061c\\udb40\\udc41'

it('makes control characters visible on a terminal, on both streams, and keeps our own colours', () => {
  const { out, stdout, stderr } = open(true)
  out.line(`${out.paint('cyan', 'shop-1')} ${hostile}`)
  out.note(hostile)
  out.warn(hostile)
  out.result({}, () => hostile)
  expect(stdout.text).toBe(`\u001b[36mshop-1\u001b[39m ${shown}\n${shown}\n`)
  expect(stderr.text).toBe(`${shown}\n\u001b[33mwarning:\u001b[39m ${shown}\n`)
})

it('writes text unchanged to a pipe, and escapes control characters in JSON', () => {
  const pipe = open(false)
  pipe.out.line(hostile)
  expect(pipe.stdout.text).toBe(`${hostile}\n`)
  const json = open(true, true)
  json.out.object({ text: hostile })
  expect(json.stdout.text.trimEnd()).toMatch(/^[ -~\ufdd0]*$/)
  expect(JSON.parse(json.stdout.text)).toEqual({ text: hostile })
})

it('does not change tabs, line feeds or letters of any script', () => {
  const text = 'a\tb\n日本 😀 שלום\u0301 👩\u200d🔬 می\u200cخواهم'
  expect(visible(text)).toBe(text)
  expect(visible('one\r\ntwo\r')).toBe('one\ntwo')
})

import { expect, it } from 'vitest'
import { OutputTail } from './outputTail.ts'

it('keeps everything below the bound', () => {
  const tail = new OutputTail(10)
  tail.add(Buffer.from('one '))
  tail.add(Buffer.from('two'))
  expect(tail.text()).toBe('one two')
})

it('keeps the last bytes, and tells how many came before', () => {
  const tail = new OutputTail(10)
  for (let line = 0; line < 1_000; line++) tail.add(Buffer.from(`line ${line}\n`))
  expect(tail.text()).toBe('[8880 bytes before are not kept]\n\nline 999\n')
  tail.add(Buffer.alloc(100_000, 'x'))
  expect(tail.text()).toBe(`[108880 bytes before are not kept]\n${'x'.repeat(10)}`)
})

it('begins with a whole character', () => {
  const tail = new OutputTail(4)
  tail.add(Buffer.from('a€€'))
  expect(tail.text()).toBe('[4 bytes before are not kept]\n€')
})

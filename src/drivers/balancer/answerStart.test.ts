import * as fc from 'fast-check'
import { describe, expect, it } from 'vitest'
import { AnswerStart, type InterimHead } from './answerStart.ts'

const seed = Number(process.env['TANDEM_SEED'] ?? Date.now() % 2 ** 31)

/** The bytes that undici sees and the events that these pieces cause, as latin1. */
function read(pieces: string[]): { rest: string; reason: string | null; interim: InterimHead[]; endless: boolean } {
  const interim: InterimHead[] = []
  let endless = false
  const start = new AnswerStart({
    answerBegan: () => {},
    interim: (head) => void interim.push(head),
    endless: () => (endless = true),
  })
  const rest = pieces.map((piece) => {
    const bytes = Buffer.from(piece, 'latin1')
    return (start.over ? bytes : start.take(bytes)).toString('latin1')
  })
  return { rest: rest.join(''), reason: start.reason, interim, endless }
}

const final = 'HTTP/1.1 200 D\xe9j\xe0\r\nX-A: 1\r\n\r\nbody'

describe('the start of an answer', () => {
  it('is unchanged where there is nothing to remove', () => {
    for (const text of [
      'HTTP/1.1 200 OK\r\n\r\n',
      '\r\nHTTP/1.1 200 OK\r\n\r\n',
      'HTTP/1.1 1OO X\r\n\r\n',
      'nonsense\n',
      final,
    ]) {
      expect(read([text])).toMatchObject({ rest: text, interim: [], endless: false })
    }
  })

  it('reports interim responses, without fields of their hop and invalid fields', () => {
    const fields =
      'Connection: X-Hop\r\nx-hop: 1\r\nUpgrade: y\r\nContent-Length: 5\r\nLink: \t<\xe9>;\t\r\nLink:\r\nbad name: 1\r\n: 2\r\nX: a\0b\r\nno colon\r\n'
    expect(read([`HTTP/1.1 103 Pr\xe9\r\n${fields}\r\nHTTP/1.0 100\r\n\r\n${final}`])).toEqual({
      rest: final,
      reason: 'D\xe9j\xe0',
      interim: [
        { status: 103, reason: 'Pr\xe9', fields: ['Link', '<\xe9>;', 'Link', ''] },
        { status: 100, reason: '', fields: [] },
      ],
      endless: false,
    })
  })

  it('is given up when it is longer than the limit', () => {
    expect(read(['HTTP/1.1 200 ', 'x'.repeat(70_000)]).endless).toBe(true)
    expect(read(['HTTP/1.1 103 E\r\n', 'X: y\r\n'.repeat(20_000)]).endless).toBe(true)
  })

  it(`reads the same in pieces of any size (TANDEM_SEED=${seed})`, () => {
    const head = fc.constantFrom(
      'HTTP/1.1 100 Continue\r\n\r\n',
      'HTTP/1.1 102 \r\n\r\n',
      'HTTP/1.1 103 E\r\nLink: <\xe9>, <b>;\r\nX:\r\n\r\n',
      'HTTP/1.1 199 \xff\nA: b\n\n',
    )
    const cuts = fc.array(fc.nat({ max: 200 }), { maxLength: 8 })
    fc.assert(
      fc.property(fc.array(head, { maxLength: 4 }), cuts, (heads, at) => {
        const text = heads.join('') + final
        const ends = [0, ...at.map((cut) => Math.min(cut, text.length)).toSorted((a, b) => a - b), text.length]
        const pieces = ends.slice(1).map((end, index) => text.slice(ends[index], end))
        expect(read(pieces)).toEqual(read([text]))
      }),
      { seed, numRuns: 500 },
    )
  })
})

import { describe, expect, it } from 'vitest'
import { forwardedHeaders, readRequestHead } from './requestHead.ts'

describe('a request head', () => {
  it('keeps order, case and repetition, and drops headers of one hop', () => {
    const raw = [
      'Host',
      'a',
      'X-A',
      '1',
      'x-a',
      '2',
      'Connection',
      'close, X-Secret',
      'X-Secret',
      's',
      'TE',
      'trailers',
    ]
    expect(readRequestHead(raw, false).passed).toEqual(['Host', 'a', 'X-A', '1', 'x-a', '2'])
  })

  it('never lets Connection remove headers that frame or address the message', () => {
    const raw = ['Host', 'a', 'Content-Length', '3', 'Connection', 'host, content-length']
    expect(readRequestHead(raw, false).passed).toEqual(['Host', 'a', 'Content-Length', '3'])
  })

  it('drops headers that only a balancer may set, unless a balancer sets them', () => {
    const raw = [
      'Tandem-Forwarded',
      'b',
      'X-Forwarded-Proto',
      'https',
      'X-Forwarded-For',
      '1.1.1.1',
      'Forwarded',
      'for=x',
    ]
    const outside = readRequestHead(raw, false)
    expect(outside.passed).toEqual([])
    expect(forwardedHeaders({ ...outside, host: 'h' }, '::ffff:9.9.9.9')).toEqual([
      'X-Forwarded-For',
      '1.1.1.1, 9.9.9.9',
      'X-Forwarded-Proto',
      'http',
      'X-Forwarded-Host',
      'h',
    ])
    const inside = readRequestHead(raw, true)
    expect(inside.passed).toEqual(raw.slice(2))
    expect(inside.forwardedBy).toBe('b')
  })

  it('notes preconditions, chunking and a second Host', () => {
    const head = readRequestHead(['Host', 'a', 'host', 'b', 'If-Match', 'x', 'Transfer-Encoding', 'chunked'], false)
    expect(head).toMatchObject({ severalHosts: true, conditional: true, chunked: true, host: 'a' })
  })
})

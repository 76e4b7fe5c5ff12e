import { describe, expect, it } from 'vitest'
import type { Definition } from './definition.ts'
import { expand, expandEnv } from './expand.ts'
import { parseDefinition } from './parseDefinition.ts'

const definition = (more: string): Definition =>
  parseDefinition(`service: shop\nrun: ./server\n${more}`, 'f').definition
const builtins = { PORT: '4000', HOST: '127.0.0.1', PATH: '/bin', TANDEM_DATA: '/data' }

describe('expand', () => {
  it('replaces names in run, prepare and env, and returns the whole environment', () => {
    const read = definition(
      'prepare: ./migrate ${URL}\nenv: { URL: "http://${HOST}:${PORT}/${NAME}", NAME: shop, PRICE: "$$5 $x", PATH: "bin:${PATH}" }',
    )
    expect(expand({ ...read, run: ['./server', '--on=${PORT}', '$$${PORT}', '${URL} ${NAME}'] }, builtins)).toEqual({
      argv: ['./server', '--on=4000', '$4000', 'http://127.0.0.1:4000/shop shop'],
      prepare: ['./migrate', 'http://127.0.0.1:4000/shop'],
      healthCommand: null,
      env: { ...builtins, URL: 'http://127.0.0.1:4000/shop', NAME: 'shop', PRICE: '$5 $x', PATH: 'bin:/bin' },
    })
  })

  it('never replaces twice, and never splits a value', () => {
    const env = { A: '$${PORT}', B: 'x y' }
    expect(expand({ ...definition(''), run: ['${A}', '${B}'], env }, builtins).argv).toEqual(['${PORT}', 'x y'])
  })

  it('returns an empty text for a missing builtin', () => {
    expect(expand({ ...definition('listen: none'), run: ['a', '${PORT}'] }, {}).argv).toEqual(['a', ''])
  })

  it('refuses names that nothing sets, circles, and values that grow without end', () => {
    expect(() => expandEnv({ env: { A: '${constructor}' } }, builtins)).toThrow('is not set')
    expect(() => expandEnv({ env: { A: '${B}', B: '${C}', C: '${B}' } }, builtins)).toThrow('B -> C -> B')
    const doubling = Object.fromEntries(
      Array.from({ length: 60 }, (_, level) => [
        `L${level}`,
        level === 0 ? 'xx' : `\${L${level - 1}}\${L${level - 1}}`,
      ]),
    )
    expect(() => expandEnv({ env: doubling }, builtins)).toThrow('grows beyond')
  })
})

import { describe, expect, it } from 'vitest'
import { parseDefinition } from '../parseDefinition.ts'
import { problemsIn } from '../testing/problemsIn.ts'
import { problemWith } from './settings.ts'

const file = (config: string, more = ''): string => `service: shop\nrun: ./server\nconfig: ${config}\n${more}`
const problems = (config: string, more = ''): string[] => problemsIn(file(config, more))

describe('`config`', () => {
  it('names settings, which commands and `env` may name', () => {
    const text = file(
      '{ WORKERS: { type: integer, default: 4 }, GREETING: { required: true }, COLOUR: {} }',
      'env: { N: "${WORKERS}" }',
    )
    expect(parseDefinition(text, 'f').definition.config).toEqual({
      ...{ WORKERS: { type: 'integer', default: '4' }, GREETING: { required: true }, COLOUR: {} },
    })
    expect(parseDefinition('service: shop\nrun: ./server\n', 'f').definition).not.toHaveProperty('config')
  })

  it.each([
    ['{}', 'is empty; expected a map of settings'],
    ['{ my-key: {} }', /^`my-key` is not a name for an environment variable/],
    ['{ N: { type: float } }', /^"float" is none of text, integer, number, boolean/],
    ['{ N: { type: integer, default: four } }', 'N is an integer, not "four"'],
    ['{ N: { default: x, required: true } }', 'N has a default, so it need not be set; remove one of both'],
  ])('%s is refused', (config, message) => {
    expect(problems(config)).toContainEqual(typeof message === 'string' ? message : expect.stringMatching(message))
  })

  it('refuses a name that is set otherwise', () => {
    const config = '{ MAIL_HOST: {} }'
    expect(problems(config, 'env: { MAIL_HOST: x }')).toEqual(['`env` sets MAIL_HOST too; remove it there'])
    expect(problems(config, 'uses: [mail]')).toEqual(['`uses` sets MAIL_HOST too; give one of both another name'])
    expect(problems(config, 'secrets: { MAIL_HOST: { from: db, as: env } }')).toEqual([
      '`secrets` sets MAIL_HOST too; give one of both another name',
    ])
    expect(problems(config, 'environments: { staging: { env: { MAIL_HOST: x } } }')).toEqual([
      '`config` sets MAIL_HOST too',
    ])
  })
})

it.each([
  ['integer', '-12', true],
  ['integer', '1.5', false],
  ['integer', '1e3', false],
  ['number', '1.5', true],
  ['number', '.5', false],
  ['number', 'Infinity', false],
  ['boolean', 'true', true],
  ['boolean', 'TRUE', false],
  ['text', '', true],
  ['text', 'a\0b', false],
] as const)('of %s, %j fits: %j', (type, value, fits) => {
  expect(problemWith({ type }, value) === null).toBe(fits)
})

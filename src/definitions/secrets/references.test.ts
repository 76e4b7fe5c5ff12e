import { describe, expect, it } from 'vitest'
import { parseDefinition } from '../parseDefinition.ts'
import { problemsIn } from '../testing/problemsIn.ts'
import { referencesOf } from './references.ts'

const file = (secrets: string, more = ''): string => `service: shop\nrun: ./server\nsecrets: ${secrets}\n${more}`
const parse = (secrets: string) => parseDefinition(file(secrets), 'tandem.yaml').definition
const problems = (secrets: string, more = ''): string[] => problemsIn(file(secrets, more))

describe('`secrets`', () => {
  it('names secrets of the service, others, and fields', () => {
    const definition = parse('{ url: db, key: shop/keys#tls.pem, MAIL: { from: "@shared/smtp#password", as: env } }')
    expect(definition.secrets).toEqual({
      url: { from: 'db' },
      key: { from: 'shop/keys#tls.pem' },
      MAIL: { from: '@shared/smtp#password', as: 'env' },
    })
    expect(referencesOf(definition)).toEqual([
      { name: 'MAIL', path: '@shared/smtp', field: 'password', as: 'env' },
      { name: 'key', path: 'shop/keys', field: 'tls.pem', as: 'file' },
      { name: 'url', path: 'shop/db', field: null, as: 'file' },
    ])
  })

  it('stores a map with the defaults as the text alone, and nothing where it is not written', () => {
    expect(parse('{ url: { from: db, as: file } }').secrets).toEqual(parse('{ url: db }').secrets)
    expect(parseDefinition('service: shop\nrun: ./server\n', 'f').definition).not.toHaveProperty('secrets')
  })

  it.each([
    ['{}', 'is empty; expected a map of secrets'],
    ['[db]', 'expected a map of secrets, found a list'],
    ['{ url: Data Base }', /^"Data Base" is not a secret, such as db/],
    ['{ url: { from: db, as: variable } }', /^"variable" is none of file, env/],
    ['{ url: { as: env } }', /^the required key `from` is missing/],
    [
      '{ ../x: db }',
      '`../x` is not the name of a file: letters, digits, dashes, dots and underscores, at most 64 characters',
    ],
    ['{ environment: db }', 'the file environment holds the secrets `as: env`; give this one another name'],
    ['{ my-key: { from: db, as: env } }', /^`my-key` is not a name for an environment variable/],
    ['{ PORT: { from: db, as: env } }', /is set by Tandem/],
  ])('%s is refused', (secrets, message) => {
    expect(problems(secrets)).toContainEqual(typeof message === 'string' ? message : expect.stringMatching(message))
  })

  it('refuses a variable that `env`, an environment or `uses` sets too', () => {
    const mail = '{ MAIL_HOST: { from: db, as: env } }'
    expect(problems(mail, 'env: { MAIL_HOST: x }')).toEqual(['`env` sets MAIL_HOST too; remove one of both'])
    expect(problems(mail, 'uses: [mail]')).toEqual(['`uses` sets MAIL_HOST too; give one of both another name'])
    expect(problems(mail, 'environments: { staging: { env: { MAIL_HOST: x } } }')).toEqual([
      '`secrets` sets MAIL_HOST too',
    ])
  })
})

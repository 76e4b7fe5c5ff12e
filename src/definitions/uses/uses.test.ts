import { describe, expect, it } from 'vitest'
import { parseDefinition } from '../parseDefinition.ts'
import { problemsIn } from '../testing/problemsIn.ts'
import type { Call } from '../calls.ts'

const file = (uses: string, more = ''): string => `service: shop\nrun: ./server\nuses: ${uses}\n${more}`
const parse = (uses: string, more = ''): Call[] =>
  parseDefinition(file(uses, more), 'tandem.yaml').definition.uses ?? []
const warnings = (uses: string): string[] =>
  parseDefinition(file(uses), 'tandem.yaml').warnings.map(({ message }) => message)

const problems = (uses: string, more = ''): string[] => problemsIn(file(uses, more))

describe('`uses`', () => {
  it('names services, with more about them if needed, and addresses outside', () => {
    expect(
      parse('[postgres, { service: mail, as: smtp, port: 25, optional: true }, { address: "API.Stripe.com:443" }]'),
    ).toEqual([
      { service: 'postgres' },
      { service: 'mail', as: 'smtp', port: 25, optional: true },
      { address: 'api.stripe.com:443' },
    ])
    expect(parse('[{ address: "[2001:db8::1]:53" }]')).toEqual([{ address: '[2001:db8::1]:53' }])
  })

  it('is not stored where it is not written', () => {
    expect(parseDefinition('service: shop\nrun: ./server\n', 'tandem.yaml').definition).not.toHaveProperty('uses')
  })

  it('sets variables that commands and `env` may name', () => {
    expect(
      problems('[postgres, { service: mail, as: smtp }]', 'env: { DSN: "${POSTGRES_HOST}:${SMTP_PORT}" }'),
    ).toEqual([])
    expect(problems('[postgres]', 'env: { DSN: "${POSTGRE_HOST}" }')).toEqual([
      '${POSTGRE_HOST} is not set, neither by Tandem nor under `env` [${POSTGRES_HOST}]',
    ])
  })

  it.each([
    ['[]', 'the list of services is empty'],
    ['postgres', 'expected a list of services, found the text "postgres"'],
    ['[5]', /^expected a name: .*found the number 5/],
    ['[[postgres]]', 'expected the name of a service or a map, found a list'],
    ['[{ as: db }]', 'needs `service` or `address`, such as { service: mail, as: smtp }'],
    ['[{ address: "x.example.com:443", as: x }]', '`as` belongs to a service, not to an address'],
    ['[{ address: x.example.com }]', /is not an address outside the cluster/],
    ['[{ address: "https://x.example.com" }]', /\[x\.example\.com:443\]$/],
    ['[shop]', 'shop is this service; it may always call itself, so leave it out'],
    ['[mail, { service: post, as: mail }]', 'gives MAIL_HOST, as line 3 does; give one of both another `as`'],
    ['[{ address: "x:1" }, { address: "x:1" }]', 'x:1 occurs twice, first on line 3'],
    ['[tandem-store]', 'gives TANDEM_STORE_HOST, but names that start with TANDEM_ are set by Tandem; add `as`'],
  ])('%s is refused', (uses, message) => {
    expect(problems(uses)).toEqual([typeof message === 'string' ? message : (expect.stringMatching(message) as string)])
  })

  it('refuses a variable that `env` sets too, also in an environment', () => {
    const message =
      '`uses: postgres` sets POSTGRES_PORT too; remove it here, or write { service: postgres, as: postgres-service } there'
    expect(problems('[postgres]', 'env: { POSTGRES_PORT: "1" }')).toEqual([message])
    expect(problems('[postgres]', 'environments: { staging: { env: { POSTGRES_PORT: "1" } } }')).toEqual([message])
    expect(problems('[{ service: postgres, as: db }]', 'env: { POSTGRES_PORT: "1" }')).toEqual([])
  })

  it('warns of a variable that programs misread, until `as` gives it another name', () => {
    expect(warnings('[redis]')).toEqual([
      expect.stringMatching(/^sets REDIS_PORT: some programs expect tcp:/) as string,
    ])
    expect(warnings('[{ service: redis, as: cache }]')).toEqual([])
  })
})

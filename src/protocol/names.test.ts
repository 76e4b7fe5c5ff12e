import { expect, it } from 'vitest'
import { linkVariables } from './names.ts'

const link = (prefix: string, port: number, carries: 'http' | 'tcp') => ({
  ...{ prefix, service: prefix.toLowerCase(), answer: { address: '127.77.1.2', port, carries } },
})

it('are host and port, and a URL for http', () => {
  expect(
    linkVariables([link('POSTGRES', 5432, 'tcp'), link('BLOG', 80, 'http'), link('CART', 8080, 'http')], 0),
  ).toEqual({
    POSTGRES_HOST: '127.77.1.2',
    POSTGRES_PORT: '5432',
    POSTGRES_URL: '',
    BLOG_HOST: '127.77.1.2',
    BLOG_PORT: '80',
    BLOG_URL: 'http://127.77.1.2',
    CART_HOST: '127.77.1.2',
    CART_PORT: '8080',
    CART_URL: 'http://127.77.1.2:8080',
  })
})

it('name the port of this machine of a laptop', () => {
  expect(linkVariables([link('CART', 12_080, 'http')], 1_000)).toMatchObject({
    CART_PORT: '13080',
    CART_URL: 'http://127.77.1.2:13080',
  })
})

it('are empty for a missing service', () => {
  expect(linkVariables([{ prefix: 'MAIL', service: 'mail', answer: null }], 0)).toEqual({
    MAIL_HOST: '',
    MAIL_PORT: '',
    MAIL_URL: '',
  })
})
